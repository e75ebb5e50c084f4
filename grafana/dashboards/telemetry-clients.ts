import { annotations, client, dashboardLink, loki, orNone, prometheus, service, sized } from "./common.ts";
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
          links: [thisClient, cost],
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
          title: "False claims",
          description:
            "Lines over the range that claimed to come from another service than their client's: stored under the true name.",
          ...sized("third"),
          unit: "none",
          thresholds: atMost(1, 100),
          queries: [
            loki(
              "{{service_name}} as {{client_claimed_service}}",
              orNone(
                'sum by (service_name, client_claimed_service) (count_over_time({service_name=~".+"} | client_claimed_service!="" [$__auto]))',
                "service_name",
                "client_claimed_service",
              ),
            ),
          ],
          links: [
            {
              to: "logs",
              title: "The lines",
              expr: '{service_name=~".+"} | client_claimed_service!=""',
              quiet: true,
            },
          ],
        },
      ],
    },
  ],
};
