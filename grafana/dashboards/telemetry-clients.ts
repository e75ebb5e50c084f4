import { annotations, client, dashboardLink, loki, orNone, pageLink, prometheus, service, sized } from "./common.ts";
import { atMost, type Dashboard, type Link } from "./model.ts";

const chosen = 'client_id=~"$client"';
const ingestRoute = 'route=~"/v1/(logs|metrics|traces)|/loki/api/v1/push"';

const thisClient: Link = dashboardLink("This client", "vitrine-telemetry-clients", { client: "${label.client_id}" });
const access: Link = dashboardLink("Access control", "vitrine-access-control", { client: "${label.client_id}" });
const refusals: Link = {
  to: "logs",
  title: "Refusals",
  expr: '{service_name="gateway"} | action="gateway.refused"',
  quiet: true,
};
const cost: Link = dashboardLink("Cost", "vitrine-cost");

export const telemetryClients: Dashboard = {
  uid: "vitrine-telemetry-clients",
  title: "Telemetry clients",
  description: "Who sends what, who is refused and why, who loses telemetry before it gets here.",
  topic: "platform",
  variables: [client, service],
  annotations,
  rows: [
    {
      title: "What is accepted",
      panels: [
        {
          kind: "timeseries",
          title: "Bytes by client",
          description: "Encoded telemetry the gateway took, per second.",
          ...sized("third"),
          unit: "Bps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{client_id}}",
              `sum by (client_id) (rate(gateway_ingest_size_bytes_total{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [thisClient, cost, pageLink("Clients and their keys", "/clients")],
        },
        {
          kind: "timeseries",
          title: "Bytes by signal",
          description: "The same, by what it is.",
          ...sized("third"),
          unit: "Bps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{signal}}",
              `sum by (signal) (rate(gateway_ingest_size_bytes_total{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [cost],
        },
        {
          kind: "table",
          title: "Clients",
          description:
            "What each sent over the range, and how large its requests were: many small ones are an exporter that does not batch.",
          ...sized("third"),
          unit: "bytes",
          labels: [
            { name: "client_id", title: "Client" },
            { name: "signal", title: "Signal" },
          ],
          queries: [
            prometheus(
              "Sent",
              `sum by (client_id, signal) (increase(gateway_ingest_size_bytes_total{${chosen}}[$__range]))`,
            ),
            prometheus(
              "Requests",
              `sum by (client_id, signal) (increase(gateway_ingest_requests_total{${chosen}}[$__range]))`,
              { unit: "short" },
            ),
          ],
          links: [thisClient],
        },
      ],
    },
    {
      title: "What is not",
      panels: [
        {
          kind: "timeseries",
          title: "Refused at the door",
          description:
            "Telemetry requests refused per second, by client and reason. Whoever showed no valid token has no name.",
          ...sized("third"),
          unit: "reqps",
          min: 0,
          queries: [
            prometheus(
              "{{client_id}}: {{reason}}",
              orNone(
                `sum by (client_id, reason) (rate(gateway_refusals_total{${ingestRoute}, ${chosen}}[$__rate_interval]))`,
                "client_id",
                "reason",
              ),
            ),
          ],
          links: [access, refusals],
        },
        {
          kind: "timeseries",
          title: "Given up by exporters",
          description:
            "Bytes per second that services dropped themselves: refused for good, buffer full, or the process ended.",
          ...sized("third"),
          unit: "Bps",
          min: 0,
          queries: [
            prometheus(
              "{{service_name}} {{signal}}: {{reason}}",
              orNone(
                'sum by (service_name, signal, reason) (rate(telemetry_export_dropped_bytes_total{service_name=~"$service"}[$__rate_interval]))',
                "service_name",
              ),
            ),
          ],
          links: [
            {
              to: "logs",
              title: "What exporters said",
              expr: '{service_name=~"$service"} | action=~"telemetry.dropped|telemetry.failed"',
              quiet: true,
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Waiting in exporters",
          description: "Bytes services hold until the gateway takes them. Above 1 MiB for a minute somebody is told.",
          ...sized("third"),
          unit: "bytes",
          min: 0,
          thresholds: atMost(524_288, 1_048_576),
          queries: [
            prometheus(
              "{{service_name}} {{signal}}",
              'sum by (service_name, signal) (telemetry_export_pending_bytes{service_name=~"$service"})',
            ),
          ],
          links: [dashboardLink("Telemetry pipeline", "vitrine-telemetry-pipeline")],
        },
      ],
    },
    {
      title: "What is kept",
      panels: [
        {
          kind: "timeseries",
          title: "Log lines by client",
          description: "Lines per second in Loki, under the name the gateway stamped on them.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: [loki("{{client_id}}", `sum by (client_id) (rate({service_name=~".+"} | ${chosen} [$__auto]))`)],
          links: [
            { to: "logs", title: "Its lines", expr: '{service_name=~".+"} | client_id="${label.client_id}"' },
            thisClient,
          ],
        },
        {
          kind: "timeseries",
          title: "Spans by client",
          description: "Spans per second, counted before any trace is left out.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: [
            prometheus(
              "{{client_id}}",
              `sum by (client_id) (rate(traces_span_metrics_calls_total{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [thisClient],
        },
        {
          kind: "bars",
          title: "Not as it should be",
          description:
            "Over the range: records under another's name, points Prometheus would refuse, lines with a time that cannot be.",
          ...sized("third"),
          unit: "none",
          thresholds: atMost(1, 100),
          queries: [
            wrong("another's name", ...["lines", "spans", "points"].map((unit) => `client_${unit}_mismatched_total`)),
            wrong("left out", "client_points_refused_total"),
            wrong("other time", "client_lines_redated_total"),
          ],
          links: [
            {
              to: "logs",
              title: "Lines under another's name",
              expr: '{service_name=~".+"} | client_claimed_service!=""',
              quiet: true,
            },
            {
              to: "logs",
              title: "Lines of another time",
              expr: '{service_name=~".+"} | log_claimed_time!=""',
              quiet: true,
            },
          ],
        },
      ],
    },
  ],
};

/** What the collector counted of it by client; a name that was never counted is zero. */
function wrong(what: string, ...names: readonly string[]) {
  const counted = names.map((name) => `sum by (client_id) (increase(${name}{${chosen}}[$__range]))`);
  const [only = ""] = counted;
  const labelled = counted.map((expr, index) => `label_replace(${expr}, "of", "${names[index]}", "", "")`);
  const all = counted.length === 1 ? only : `sum by (client_id) (${labelled.join(" or ")})`;
  return prometheus(`{{client_id}}: ${what}`, orNone(all, "client_id"));
}
