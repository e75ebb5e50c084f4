/** Every scope a token can carry. A scope that is not listed here is refused when a token is asked for. */
export const scopes = [
  "telemetry:write",
  "traces:write",
  "metrics:write",
  "logs:write",
  "telemetry:read",
  "telemetry:admin",
  "orders:read",
  "orders:write",
  "catalog:write",
  "inventory:read",
  "inventory:write",
  /** Alerts, and what was told of them to whom. */
  "alerts:read",
  /** Whom alerts are told; dead letters. */
  "alerts:admin",
  /** Faults and scenarios: see and switch them. */
  "faults:admin",
  "users:admin",
  /** Ingest keys: make, list and revoke. */
  "keys:admin",
  /** The keys that sign tokens: list and rotate. */
  "signing-keys:admin",
  /** The feed of revocations and ingest keys, for gateways. */
  "feed:read",
] as const;

export type Scope = (typeof scopes)[number];

const known: ReadonlySet<string> = new Set(scopes);

export function isScope(value: string): value is Scope {
  return known.has(value);
}

export const roles = ["viewer", "operator", "admin"] as const;

export type Role = (typeof roles)[number];

const viewer: readonly Scope[] = ["orders:read", "orders:write", "inventory:read", "telemetry:read", "alerts:read"];
const operator: readonly Scope[] = [...viewer, "catalog:write", "inventory:write", "keys:admin"];

/** What a person of each role may ask for; a token carries this or less, never more (RFC 6749 §3.3). */
export const scopesOfRole: Readonly<Record<Role, readonly Scope[]>> = {
  viewer,
  operator,
  admin: [...operator, "telemetry:admin", "alerts:admin", "faults:admin", "users:admin", "signing-keys:admin"],
};
