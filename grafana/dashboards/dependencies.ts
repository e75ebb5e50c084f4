import { annotations, dashboardLink, errorShare, orNone, prometheus, service, sized, waiting } from "./common.ts";
import type { Dashboard, Link } from "./model.ts";

const calls = "sum by (client, server) (rate(traces_service_graph_request_total[$__rate_interval]))";
const failed = "sum by (client, server) (rate(traces_service_graph_request_failed_total[$__rate_interval]))";
const failedShare = `((${failed}) or (${calls}) * 0) / ((${calls}) > 0)`;
const p95 =
  "histogram_quantile(0.95, sum by (client, server, le) (rate(traces_service_graph_request_server_seconds_bucket[$__rate_interval])))";

const healthOfServer: Link = dashboardLink("Service health", "vitrine-service-health", { service: "${label.server}" });

export const dependencies: Dashboard = {
  uid: "vitrine-dependencies",
  title: "Dependency map",
  description:
    "Who calls whom, how often, how fast and how well: drawn from the traces, before any of them is left out.",
  topic: "services",
  variables: [service],
  annotations,
  rows: [
    {
      title: "From the traces",
      panels: [
        {
          kind: "graph",
          title: "Calls between services",
          description:
            "An edge is a caller and what it calls, with calls per second and the share of them that failed.",
          ...sized("whole", 14),
          unit: "reqps",
          queries: [prometheus("calls", calls), prometheus("failed", failedShare)],
          links: [dashboardLink("Service health", "vitrine-service-health")],
        },
        {
          kind: "table",
          title: "Edges",
          description: "The same in numbers. `user` is whoever sent no trace of their own; `vitrine` is the database.",
          ...sized("half", 10),
          unit: "reqps",
          labels: [
            { name: "client", title: "Caller" },
            { name: "server", title: "Called" },
          ],
          queries: [
            prometheus("Calls", calls),
            prometheus("Failed", failedShare, { unit: "percentunit" }),
            prometheus("p95", p95, { unit: "s" }),
          ],
          links: [healthOfServer],
        },
        {
          kind: "timeseries",
          title: "Duration p95 of each edge",
          description: "As the called side saw it; one call in twenty took longer.",
          ...sized("half", 10),
          unit: "s",
          min: 0,
          thresholds: waiting,
          queries: [prometheus("{{client}} → {{server}}", p95)],
          links: [healthOfServer],
        },
      ],
    },
    {
      title: "As the callers see it",
      panels: [
        {
          kind: "stat",
          title: "Upstreams of the gateway",
          description: "Whether the last answer of each was no failure of its own.",
          ...sized("third", 7),
          unit: "none",
          words: { 0: { text: "failing", state: "critical" }, 1: { text: "answers", state: "good" } },
          queries: [prometheus("{{upstream}}", "min by (upstream) (gateway_upstream_up)")],
          links: [dashboardLink("Service health", "vitrine-service-health", { service: "${label.upstream}" })],
        },
        {
          kind: "timeseries",
          title: "Outgoing calls that failed",
          description: "Share of outgoing calls that ended in 5xx or in no answer at all.",
          ...sized("third", 7),
          unit: "percentunit",
          min: 0,
          thresholds: errorShare,
          queries: [
            prometheus(
              "{{service_name}}",
              'sum by (service_name) (rate(http_client_request_duration_seconds_count{service_name=~"$service", http_response_status_code!~"[1-4].."}[$__rate_interval]) or rate(http_client_request_duration_seconds_count{service_name=~"$service"}[$__rate_interval]) * 0) / sum by (service_name) (rate(http_client_request_duration_seconds_count{service_name=~"$service"}[$__rate_interval]) > 0)',
            ),
          ],
          links: [dashboardLink("Service health", "vitrine-service-health", { service: "${label.service_name}" })],
        },
        {
          kind: "timeseries",
          title: "Attempts beyond the first",
          description:
            "Calls that were tried again per second, by why the attempt before failed, and calls an open circuit held back.",
          ...sized("third", 7),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{service_name}} → {{upstream}}: {{reason}}",
              orNone(
                'sum by (service_name, upstream, reason) (rate(upstream_retries_total{service_name=~"$service"}[$__rate_interval]))',
                "service_name",
                "upstream",
                "reason",
              ),
            ),
            prometheus(
              "{{upstream}}: held back",
              orNone(
                'sum by (upstream) (rate(upstream_circuit_rejections_total{service_name=~"$service"}[$__rate_interval]))',
                "upstream",
              ),
            ),
          ],
          links: [dashboardLink("Service health", "vitrine-service-health")],
        },
      ],
    },
  ],
};
