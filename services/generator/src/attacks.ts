import type { GatewayRequest } from "./gateway.ts";
import type { Random } from "./random.ts";

/** What an attacker has: names to guess at, and tokens picked up from customers, good ones and old ones. */
export interface Loot {
  readonly random: Random;
  readonly names: readonly string[];
  readonly token: () => string | undefined;
  readonly expiredToken: () => string | undefined;
}

type Attack = (loot: Loot) => GatewayRequest | undefined;

const guesses: readonly [string, ...string[]] = [
  "123456",
  "password",
  "qwerty",
  "letmein",
  "vitrine",
  "admin123",
  "summer2026",
  "iloveyou",
];

type Probe = readonly [method: "GET" | "POST" | "PUT", path: string];

/** Routes that need more than a customer's token carries. */
const forbidden: readonly [Probe, ...Probe[]] = [
  ["GET", "/api/auth/users"],
  ["GET", "/api/auth/audit"],
  ["POST", "/api/auth/ingest-keys"],
  ["POST", "/api/inventory/aubrelle-aurore/restock"],
  ["PUT", "/api/catalog/aubrelle-aurore"],
  ["POST", "/alertmanager/api/v2/silences"],
  ["PUT", "/api/orders/faults/errors"],
];

/** Each is refused at a door of its own; `undefined` when what it needs has not been picked up yet. */
const attacks = {
  /** One password after the other, at accounts that exist and at such as might. */
  guess_password: ({ random, names }) => ({
    action: "attack",
    method: "POST",
    path: "/api/auth/login",
    body: { name: random.pick(["admin", "root", ...names]), password: random.pick(guesses) },
  }),
  /** A real token whose subject was changed, or whose signature was left out (RFC 8725 §2.1). */
  forge_token: ({ random, token }) => {
    const [header, , signature] = (token() ?? "").split(".");
    if (header === undefined || signature === undefined) return undefined;
    const claims = encode({ sub: "admin", scope: "users:admin telemetry:admin", exp: 4_102_444_800 });
    const forged = random.pick([
      `${header}.${claims}.${signature}`,
      `${encode({ alg: "none", typ: "at+jwt" })}.${claims}.`,
      "not-a-token",
    ]);
    return { action: "attack", path: "/api/orders", token: forged };
  },
  /** A stolen token, long after. */
  replay_expired: ({ expiredToken }) => {
    const token = expiredToken();
    return token === undefined ? undefined : { action: "attack", path: "/api/orders", token };
  },
  /** A customer's own token, for what customers may not. */
  probe_scopes: ({ random, token }) => {
    const [method, path] = random.pick(forbidden);
    const body = method === "GET" ? {} : { body: {} };
    const own = token();
    return own === undefined ? undefined : { action: "attack", method, path, token: own, ...body };
  },
  /** Telemetry in the name of another service: without a token, or with one that may not write any. */
  spoof_ingest: ({ random, token }) => {
    const own = random.next() < 0.5 ? token() : undefined;
    const path = random.pick(["/v1/logs", "/v1/metrics", "/v1/traces"]);
    return { action: "attack", method: "POST", path, body: {}, ...(own === undefined ? {} : { token: own }) };
  },
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof attacks;

export const attackWeights: Readonly<Record<AttackName, number>> = {
  guess_password: 40,
  forge_token: 20,
  replay_expired: 10,
  probe_scopes: 20,
  spoof_ingest: 10,
};

export function makeAttack(name: AttackName, loot: Loot): GatewayRequest | undefined {
  const request = attacks[name](loot);
  return request === undefined ? undefined : { ...request, agent: attackerAgent };
}

/** Not the customers' own: an agent that was seen to guess is slowed down. */
const attackerAgent = "python-requests/2.32.3";

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
