import { consoleRows } from "./console-rows.ts";
import { engineRows } from "./engine-rows.ts";
import { grafanaRows } from "./grafana-rows.ts";
import { ingestRows } from "./ingest-rows.ts";
import type { Route, Upstream } from "./route.ts";
import { serviceRows } from "./service-rows.ts";

const own = {
  upstream: "self",
  forward: "keep",
  methods: ["GET"],
  body: "none",
  rate: "none",
  timeoutMs: 5_000,
  errors: "problem",
} as const satisfies Partial<Route>;

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
  ...ingestRows,
  ...engineRows,
  ...serviceRows,
  ...consoleRows,
  ...grafanaRows,

  metricsRow("auth", "auth"),
  metricsRow("orders", "orders"),
  metricsRow("inventory", "inventory"),
  metricsRow("notifier", "notifier"),
  metricsRow("generator", "generator"),
  metricsRow("console", "console"),
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

/** No row needs more: the deepest that are asked for are Grafana's, of its data sources and its own files. */
export const maxSegments = 16;
