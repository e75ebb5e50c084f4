import type { Scope } from "@vitrine/contracts/scopes";
import { apiBody, authBody } from "./bodies.ts";
import type { Method, Route, Upstream } from "./route.ts";

const api = {
  forward: "keep",
  body: apiBody,
  session: true,
  rate: "api",
  timeoutMs: 15_000,
  telemetry: "traced",
  errors: "problem",
} as const satisfies Partial<Route>;

/** What needs no token at the gateway; it is counted by address. */
const open = {
  forward: "keep",
  body: authBody,
  timeoutMs: 15_000,
  telemetry: "traced",
  errors: "problem",
  upstream: "auth",
  access: "public",
  rate: "open",
} as const satisfies Partial<Route>;

/** Rows of one API of ours: reading and writing need different scopes, so each path has a row for either. */
function apiRows(upstream: Upstream, path: string, read: Scope, write: Scope, writes: readonly Method[]): Route[] {
  return [
    { ...api, path, upstream, methods: ["GET"], access: [read], body: "none" },
    { ...api, path, upstream, methods: writes, access: [write] },
  ];
}

const get = ["GET"] as const;

/** What an API is, as OpenAPI and as a page: no secret. */
function descriptionRows(upstream: Upstream, base: string): Route[] {
  const row = { ...open, upstream, methods: get, body: "none" } as const;
  return [
    { ...row, path: `${base}/openapi.json` },
    { ...row, path: `${base}/docs` },
  ];
}

/** What alerts there were, what was told of them, and what to do about them: for all who may read. */
function historyRow(name: string): Route {
  return {
    ...api,
    path: `/api/notifier/${name}/**`,
    upstream: "notifier",
    methods: get,
    access: ["alerts:read"],
    body: "none",
  };
}

/** Our own services: open rows of auth, and APIs by scope. */
export const serviceRows: readonly Route[] = [
  // Each of these answers for its own credentials: a password, a client secret, a refresh token.
  {
    ...open,
    path: "/api/auth/**",
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  },
  { ...open, path: "/oauth/token", methods: ["POST"] },
  { ...open, path: "/oauth/introspect", methods: ["POST"] },
  { ...open, path: "/oauth/revoke", methods: ["POST"] },
  { ...open, path: "/.well-known/jwks.json", methods: get, body: "none" },
  { ...open, path: "/.well-known/oauth-authorization-server", methods: get, body: "none" },

  ...apiRows("orders", "/api/orders/**", "orders:read", "orders:write", ["POST"]),
  ...apiRows("orders", "/api/catalog/**", "orders:read", "catalog:write", ["PUT"]),
  { ...api, path: "/api/customers/**", upstream: "orders", methods: ["GET"], access: ["orders:read"], body: "none" },
  ...apiRows("orders", "/api/wallet/**", "orders:read", "orders:write", ["POST"]),
  { ...api, path: "/api/collection/**", upstream: "orders", methods: ["GET"], access: ["orders:read"], body: "none" },
  ...apiRows("inventory", "/api/inventory/**", "inventory:read", "inventory:write", ["POST", "PUT", "DELETE"]),
  ...descriptionRows("orders", "/api/orders"),
  ...descriptionRows("inventory", "/api/inventory"),
  ...descriptionRows("generator", "/api/scenarios"),
  // Where Alertmanager tells of alerts has no row: it does so past the gateway, with a secret of its own.
  historyRow("alerts"),
  historyRow("deliveries"),
  historyRow("runbooks"),
  {
    ...api,
    path: "/api/notifier/deliveries/**",
    upstream: "notifier",
    methods: ["POST", "DELETE"],
    access: ["alerts:admin"],
  },
  {
    ...api,
    path: "/api/notifier/targets/**",
    upstream: "notifier",
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    access: ["alerts:admin"],
    // A test message waits for a mail server.
    timeoutMs: 30_000,
  },
  ...descriptionRows("notifier", "/api/notifier"),
  ...apiRows("orders", "/api/orders/faults/**", "faults:admin", "faults:admin", ["PUT", "DELETE"]),
  ...apiRows("inventory", "/api/inventory/faults/**", "faults:admin", "faults:admin", ["PUT", "DELETE"]),
  ...apiRows("generator", "/api/faults/**", "faults:admin", "faults:admin", ["PUT", "DELETE"]),
  ...apiRows("generator", "/api/scenarios/**", "faults:admin", "faults:admin", ["PUT", "DELETE"]),
];
