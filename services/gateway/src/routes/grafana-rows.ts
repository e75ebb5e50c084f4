import { apiBody } from "./bodies.ts";
import type { Route } from "./route.ts";

const row = {
  methods: ["GET"],
  access: ["telemetry:read"],
  upstream: "grafana",
  forward: "keep",
  body: "none",
  session: true,
  rate: "query",
  timeoutMs: 60_000,
  telemetry: "traced",
  errors: "problem",
} as const satisfies Partial<Route>;

const pages = ["/grafana", "/grafana/d/**", "/grafana/dashboards/**", "/grafana/explore/**"] as const;

const reads = [
  "/grafana/public/**",
  "/grafana/avatar/*",
  "/grafana/apis/**",
  "/grafana/api/annotations",
  "/grafana/api/dashboards/**",
  "/grafana/api/datasources",
  "/grafana/api/datasources/uid/*",
  "/grafana/api/datasources/uid/*/resources/**",
  "/grafana/api/folders/**",
  "/grafana/api/frontend/settings",
  "/grafana/api/org/**",
  "/grafana/api/plugins/**",
  "/grafana/api/prometheus/**",
  "/grafana/api/alertmanager/**",
  "/grafana/api/search",
  "/grafana/api/user/**",
] as const;

/** Questions that are posted. The labels of Prometheus are, too; what else its data source would pass on is not here. */
const questions = [
  "/grafana/api/ds/query",
  ...["labels", "series", "query", "query_range", "query_exemplars"].map(
    (name) => `/grafana/api/datasources/uid/prometheus/resources/api/v1/${name}`,
  ),
];

function readRow(path: string): Route {
  return { ...row, path };
}

function pageRow(path: string): Route {
  return { ...row, path, page: { login: "/login" } };
}

function questionRow(path: string): Route {
  return { ...row, path, methods: ["POST"], body: questionBody };
}

const questionBody = { ...apiBody, mediaTypes: ["application/json", "application/x-www-form-urlencoded"] };

/**
 * Grafana, whose people are those of the console: the gateway tells it who asks. Neither its data source proxy nor
 * anything that writes has a row: through them whoever may read would reach what engines can be told to do.
 */
export const grafanaRows: readonly Route[] = [
  ...pages.map(pageRow),
  ...reads.map(readRow),
  ...questions.map(questionRow),
];
