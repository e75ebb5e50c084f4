import type { Scope } from "@vitrine/contracts/scopes";
import { apiBody, lokiBody, otlpBody, queryBody, silenceBody } from "./bodies.ts";
import type { Method, Route, Upstream } from "./route.ts";

/** Below the ten seconds exporters wait by default, so that they hear 504 and not silence. */
const ingestRow = {
  methods: ["POST"],
  upstream: "collector",
  forward: "keep",
  body: otlpBody,
  rate: "ingest",
  timeoutMs: 8_000,
  telemetry: "quiet",
  errors: "otlp",
} as const satisfies Partial<Route>;

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
  body: apiBody,
  timeoutMs: 15_000,
  telemetry: "traced",
  errors: "problem",
  upstream: "auth",
  access: "public",
  rate: "open",
} as const satisfies Partial<Route>;

const own = {
  upstream: "self",
  forward: "keep",
  methods: ["GET"],
  body: "none",
  rate: "none",
  timeoutMs: 5_000,
  errors: "problem",
} as const satisfies Partial<Route>;

/** Rows of one API of ours: reading and writing need different scopes, so each path has a row for either. */
function apiRows(upstream: Upstream, path: string, read: Scope, write: Scope, writes: readonly Method[]): Route[] {
  return [
    { ...api, path, upstream, methods: ["GET"], access: [read], body: "none" },
    { ...api, path, upstream, methods: writes, access: [write] },
  ];
}

const get = ["GET"] as const;
const getOrPost = ["GET", "POST"] as const;

/** Rows of an engine's read API. Only what is listed is reachable: its write, admin and lifecycle APIs are not. */
function readRows(upstream: Upstream, prefix: string, methods: readonly Method[], paths: readonly string[]): Route[] {
  return paths.map((path) => ({
    path: `${prefix}${path}`,
    methods,
    access: ["telemetry:read"],
    upstream,
    forward: prefix === "" ? "keep" : { strip: prefix },
    body: methods.includes("POST") ? queryBody : "none",
    session: true,
    rate: "query",
    timeoutMs: 60_000,
    telemetry: "traced",
    errors: "problem",
  }));
}

function silenceRow(path: string, method: Method): Route {
  return {
    path,
    methods: [method],
    access: ["telemetry:admin"],
    session: true,
    upstream: "alertmanager",
    forward: { strip: "/alertmanager" },
    body: method === "POST" ? silenceBody : "none",
    rate: "query",
    timeoutMs: 15_000,
    telemetry: "traced",
    errors: "problem",
  };
}

function metricsRow(service: string, upstream: Upstream): Route {
  return {
    ...own,
    path: `/metrics/${service}`,
    access: ["telemetry:read"],
    upstream,
    rate: upstream === "self" ? "none" : "query",
    forward: { as: "/metrics" },
    telemetry: "quiet",
  };
}

/** Everything that can be reached through the gateway. What is not listed here does not exist. */
export const routes: readonly Route[] = [
  {
    ...ingestRow,
    path: "/v1/traces",
    ingest: { signal: "traces", format: "otlp" },
    access: ["telemetry:write", "traces:write"],
  },
  {
    ...ingestRow,
    path: "/v1/metrics",
    ingest: { signal: "metrics", format: "otlp" },
    access: ["telemetry:write", "metrics:write"],
  },
  {
    ...ingestRow,
    path: "/v1/logs",
    ingest: { signal: "logs", format: "otlp" },
    access: ["telemetry:write", "logs:write"],
  },
  {
    ...ingestRow,
    path: "/loki/api/v1/push",
    ingest: { signal: "logs", format: "loki" },
    access: ["telemetry:write", "logs:write"],
    forward: { as: "/v1/logs" },
    body: lokiBody,
    errors: "loki",
  },

  ...readRows("prometheus", "/prometheus", getOrPost, [
    "/api/v1/query",
    "/api/v1/query_range",
    "/api/v1/query_exemplars",
    "/api/v1/format_query",
    "/api/v1/parse_query",
    "/api/v1/series",
    "/api/v1/labels",
  ]),
  ...readRows("prometheus", "/prometheus", get, [
    "/api/v1/label/*/values",
    "/api/v1/metadata",
    "/api/v1/targets",
    "/api/v1/targets/metadata",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/alertmanagers",
    "/api/v1/status/buildinfo",
    "/api/v1/status/runtimeinfo",
    "/api/v1/status/tsdb",
  ]),

  ...readRows("loki", "", getOrPost, [
    "/loki/api/v1/query",
    "/loki/api/v1/query_range",
    "/loki/api/v1/labels",
    "/loki/api/v1/label/*/values",
    "/loki/api/v1/series",
    "/loki/api/v1/index/stats",
    "/loki/api/v1/index/volume",
    "/loki/api/v1/index/volume_range",
    "/loki/api/v1/patterns",
    "/loki/api/v1/detected_labels",
    "/loki/api/v1/detected_fields",
    "/loki/api/v1/detected_field/*/values",
    "/loki/api/v1/format_query",
  ]),
  ...readRows("loki", "", get, [
    "/loki/api/v1/label",
    "/loki/api/v1/index/shards",
    "/loki/api/v1/rules",
    "/loki/api/v1/rules/*",
    "/loki/api/v1/rules/*/*",
    "/loki/api/v1/status/buildinfo",
  ]),

  // Live tail, for as long as its token is good.
  {
    path: "/loki/api/v1/tail",
    methods: get,
    access: ["telemetry:read"],
    session: true,
    upgrade: "websocket",
    upstream: "loki",
    forward: "keep",
    body: "none",
    rate: "query",
    timeoutMs: 10_000,
    telemetry: "traced",
    errors: "problem",
  },

  ...readRows("jaeger", "/jaeger", get, [
    "/api/services",
    "/api/services/*/operations",
    "/api/operations",
    "/api/traces",
    "/api/traces/*",
    "/api/dependencies",
    "/api/v3/services",
    "/api/v3/operations",
    "/api/v3/traces",
    "/api/v3/traces/*",
  ]),

  ...readRows("alertmanager", "/alertmanager", get, [
    "/api/v2/status",
    "/api/v2/receivers",
    "/api/v2/alerts",
    "/api/v2/alerts/groups",
    "/api/v2/silences",
    "/api/v2/silence/*",
  ]),
  // Of what engines can be told to do, silencing an alert is all; reload, delete and admin APIs have no row.
  silenceRow("/alertmanager/api/v2/silences", "POST"),
  silenceRow("/alertmanager/api/v2/silence/*", "DELETE"),

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
  ...apiRows("inventory", "/api/inventory/**", "inventory:read", "inventory:write", ["POST", "PUT", "DELETE"]),

  metricsRow("auth", "auth"),
  metricsRow("orders", "orders"),
  metricsRow("inventory", "inventory"),
  metricsRow("gateway", "self"),
  { ...own, path: "/metrics", access: ["telemetry:read"], telemetry: "quiet" },
  // Answered by the kit before the table is asked; listed so that the table is whole.
  { ...own, path: "/health/live", access: "public", telemetry: "quiet" },
  { ...own, path: "/health/ready", access: "public", telemetry: "quiet" },
];

/** What the OTLP port serves: ingest and health, nothing else. */
export const otlpRoutes: readonly Route[] = routes.filter(
  ({ ingest, path }) => ingest?.format === "otlp" || path.startsWith("/health/"),
);
