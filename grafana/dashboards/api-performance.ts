import {
  annotations,
  dashboardLink,
  errorShare,
  pageLink,
  prometheus,
  requestOfLine,
  route,
  service,
  sized,
  waiting,
} from "./common.ts";
import type { Dashboard, Link } from "./model.ts";

const chosen = 'service_name=~"$service", http_route=~"$route"';
/** Recorded: the raw buckets of all routes and processes are tens of thousands of series. */
const buckets = `sum by (le) (service_route_le:http_request_duration_seconds_bucket:rate5m{${chosen}})`;

/** The counters of the SDK carry no exemplars; those the collector makes of spans do. */
const spansP95 = `histogram_quantile(0.95, sum by (le) (rate(traces_span_metrics_duration_seconds_bucket{span_kind="SPAN_KIND_SERVER", ${chosen}}[$__rate_interval])))`;

const logsOfRoutes: Link = {
  to: "logs",
  title: "Requests in the logs",
  expr: '{service_name=~"$service"} | extra_route=~"$route"',
};
const logsOfRoute: Link = {
  to: "logs",
  title: "Requests in the logs",
  expr: '{service_name="${label.service_name}"} | extra_route="${label.http_route}"',
  // Routes that are asked all the time, of probes and telemetry, leave no line.
  quiet: true,
};
const thisRoute: Link = dashboardLink("This route", "vitrine-api-performance", {
  service: "${label.service_name}",
  route: "${label.http_route}",
});

function quantile(share: number): string {
  return `histogram_quantile(${share}, ${buckets})`;
}

export const apiPerformance: Dashboard = {
  uid: "vitrine-api-performance",
  title: "API performance",
  description:
    "How long callers wait, route by route: medians and tails, what fails, and single requests behind a point.",
  topic: "services",
  variables: [service, route],
  annotations,
  rows: [
    {
      title: "Chosen routes",
      panels: [
        {
          kind: "timeseries",
          title: "Duration: p50, p95, p99",
          description:
            "Half, one in twenty and one in a hundred of the requests of five minutes took longer. Points are single requests: one opens its trace.",
          ...sized("half", 9),
          unit: "s",
          min: 0,
          thresholds: waiting,
          queries: [
            prometheus("p50", quantile(0.5)),
            prometheus("p95", quantile(0.95)),
            prometheus("p99", quantile(0.99)),
            prometheus("p95 of the spans", spansP95, { exemplars: true }),
          ],
          links: [logsOfRoutes],
        },
        {
          kind: "heatmap",
          title: "Durations",
          description:
            "Requests per second by how long they took: two bands are two kinds of requests, which a mean would hide.",
          ...sized("half", 9),
          unit: "s",
          queries: [prometheus("{{le}}", buckets)],
          links: [logsOfRoutes],
        },
        {
          kind: "timeseries",
          title: "Answers by status",
          description: "Answers per second. 4xx are the callers' mistakes, 5xx ours.",
          ...sized("third"),
          unit: "reqps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{http_response_status_code}}",
              `sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [
            {
              to: "logs",
              title: "Requests in the logs",
              expr: '{service_name=~"$service"} | extra_status="${label.http_response_status_code}"',
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Failed requests",
          description: "Share of 5xx by route, over five minutes.",
          ...sized("third"),
          unit: "percentunit",
          min: 0,
          thresholds: errorShare,
          queries: [
            prometheus(
              "{{service_name}} {{http_request_method}} {{http_route}}",
              `service_route:http_errors:ratio_rate5m{${chosen}}`,
            ),
          ],
          links: [thisRoute, logsOfRoute],
        },
        {
          kind: "timeseries",
          title: "At the door, by kind of caller",
          description:
            "p95 of what the gateway was asked, by who asked: services, ingest keys, people, other clients, nobody.",
          ...sized("third"),
          unit: "s",
          min: 0,
          queries: [
            prometheus(
              "{{client_class}}",
              'histogram_quantile(0.95, sum by (client_class, le) (rate(gateway_request_duration_seconds_bucket{http_route=~"$route"}[$__rate_interval])))',
            ),
          ],
          links: [dashboardLink("Access control", "vitrine-access-control")],
        },
      ],
    },
    {
      title: "Route by route",
      panels: [
        {
          kind: "table",
          title: "Routes",
          description:
            "Of the last five minutes. Sort by a column to find what is asked most, fails most or takes longest.",
          ...sized("whole", 12),
          unit: "s",
          labels: [
            { name: "service_name", title: "Service" },
            { name: "http_request_method", title: "Method" },
            { name: "http_route", title: "Route" },
          ],
          queries: [
            prometheus("Requests", `service_route:http_requests:rate5m{${chosen}} > 0`, { unit: "reqps" }),
            prometheus("Failed", `service_route:http_errors:ratio_rate5m{${chosen}}`, { unit: "percentunit" }),
            prometheus("p50", `service_route:http_request_duration_seconds:p50_5m{${chosen}}`),
            prometheus("p95", `service_route:http_request_duration_seconds:p95_5m{${chosen}}`),
            prometheus("p99", `service_route:http_request_duration_seconds:p99_5m{${chosen}}`),
          ],
          links: [thisRoute, logsOfRoute],
        },
        {
          kind: "traces",
          title: "Slow requests",
          description:
            "Traces through the gateway that took more than 20 ms; signing in does, for passwords are hashed slowly on purpose.",
          ...sized("whole", 9),
          queries: [{ datasource: "jaeger", service: "gateway", tags: {}, minDuration: "20ms" }],
          links: [logsOfRoutes, requestOfLine, pageLink("All requests", "/requests")],
        },
      ],
    },
  ],
};
