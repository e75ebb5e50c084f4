import { queryBody, silenceBody } from "./bodies.ts";
import type { Method, Route, Upstream } from "./route.ts";

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
    ...(upstream === "loki" ? { basic: true } : {}),
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

/** What can be read of the engines, and the one thing they can be told. */
export const engineRows: readonly Route[] = [
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
    basic: true,
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
];
