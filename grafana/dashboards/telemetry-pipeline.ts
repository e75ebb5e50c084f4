import { annotations, anyIsBad, dashboardLink, loki, orNone, orZero, pageLink, prometheus, sized } from "./common.ts";
import { atMost, type Dashboard, type Link } from "./model.ts";

const clients: Link = dashboardLink("Telemetry clients", "vitrine-telemetry-clients");
const infrastructure: Link = dashboardLink("Infrastructure", "vitrine-infrastructure");
const alerts: Link = dashboardLink("Alerts", "vitrine-alerting");

/** The collector counts each signal under a name of its own. */
function perSignal(what: (unit: string) => string): readonly (readonly [string, string])[] {
  const units = { logs: "log_records", traces: "spans", metrics: "metric_points" };
  return Object.entries(units).map(([signal, unit]) => [signal, what(unit)]);
}

/** The sum of what the collector counts apart, by signal; what it never counted is zero. */
function overSignals(what: (unit: string) => string): string {
  return perSignal(what)
    .map(([, expr]) => `(${orZero(expr)})`)
    .join(" + ");
}

export const telemetryPipeline: Dashboard = {
  uid: "vitrine-telemetry-pipeline",
  title: "Telemetry pipeline",
  description:
    "Telemetry about telemetry: what comes in at the collector, what waits, what reaches the engines, what is lost on the way.",
  topic: "platform",
  variables: [],
  annotations,
  rows: [
    {
      title: "Whole?",
      panels: [
        {
          kind: "stat",
          title: "Watchdog",
          description: "An alert that always fires: if it does not, rules are not evaluated and silence means nothing.",
          ...sized("sixth", 5),
          unit: "none",
          words: { 0: { text: "missing", state: "critical" }, 1: { text: "firing", state: "good" } },
          queries: [prometheus("watchdog", orZero('max(ALERTS{alertname="Watchdog", alertstate="firing"})'))],
          links: [alerts, pageLink("Pipeline", "/pipeline")],
        },
        {
          kind: "stat",
          title: "Lost by clients",
          description: "Telemetry that exporters of services gave up over the range.",
          ...sized("sixth", 5),
          unit: "bytes",
          thresholds: anyIsBad,
          queries: [prometheus("lost", orZero("sum(increase(telemetry_export_dropped_bytes_total[$__range]))"))],
          links: [clients],
        },
        {
          kind: "stat",
          title: "Refused by the collector",
          description: "Records it did not take over the range: its memory or a queue was full. Senders try again.",
          ...sized("sixth", 5),
          unit: "short",
          thresholds: anyIsBad,
          queries: [
            prometheus(
              "refused",
              overSignals((unit) => `sum(increase(otelcol_receiver_refused_${unit}[$__range]))`),
            ),
          ],
          links: [infrastructure],
        },
        {
          kind: "stat",
          title: "Dropped by the collector",
          description: "Records an engine refused for good over the range. They are lost.",
          ...sized("sixth", 5),
          unit: "short",
          thresholds: anyIsBad,
          queries: [
            prometheus(
              "dropped",
              [
                (unit: string) =>
                  `sum(increase(otelcol_exporter_send_failed_${unit}{error_permanent!="false"}[$__range]))`,
                (unit: string) => `sum(increase(otelcol_exporter_enqueue_failed_${unit}[$__range]))`,
              ]
                .map(overSignals)
                .join(" + "),
            ),
          ],
          links: [infrastructure],
        },
        {
          kind: "stat",
          title: "Discarded by Loki",
          description: "Log lines Loki did not keep over the range: too old, too long, too many.",
          ...sized("sixth", 5),
          unit: "short",
          thresholds: anyIsBad,
          queries: [prometheus("discarded", orZero("sum(increase(loki_discarded_samples_total[$__range]))"))],
          links: [clients],
        },
        {
          kind: "stat",
          title: "Rules failing",
          description: "Evaluations of rules that failed over the range, in Prometheus and Loki.",
          ...sized("sixth", 5),
          unit: "none",
          thresholds: anyIsBad,
          queries: [
            prometheus(
              "failing",
              orZero(
                "sum(increase(prometheus_rule_evaluation_failures_total[$__range]) or increase(loki_prometheus_rule_evaluation_failures_total[$__range]))",
              ),
            ),
          ],
          links: [alerts],
        },
      ],
    },
    {
      title: "Through the collector",
      panels: [
        {
          kind: "timeseries",
          title: "Taken in",
          description: "Records per second that came through the gateway.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: perSignal(
            (unit) => `sum(rate(otelcol_receiver_accepted_${unit}{receiver="otlp"}[$__rate_interval]))`,
          ).map(([signal, expr]) => prometheus(signal, expr)),
          links: [clients],
        },
        {
          kind: "timeseries",
          title: "Handed on",
          description:
            "Records per second that the engines and the archive on disk took. Metrics are more than came in: span metrics, host and database are added.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: perSignal(
            (unit) => `sum by (exporter) (rate(otelcol_exporter_sent_${unit}{exporter!~"debug.*"}[$__rate_interval]))`,
          ).map(([signal, expr]) => prometheus(`${signal} → {{exporter}}`, expr)),
          links: [infrastructure],
        },
        {
          kind: "timeseries",
          title: "Waiting on disk",
          description:
            "Batches queued for each engine. They survive a restart; a line that climbs is an engine that is away.",
          ...sized("third"),
          unit: "none",
          min: 0,
          thresholds: atMost(40, 30_000),
          queries: [
            prometheus("{{exporter}} {{data_type}}", "sum by (exporter, data_type) (otelcol_exporter_queue_size)"),
          ],
          links: [infrastructure],
        },
        {
          kind: "timeseries",
          title: "Left out on purpose",
          description:
            "Points Prometheus would refuse its whole batch for, per second, and claims of a service name that is not the client's.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: [
            prometheus(
              "points: {{filter}}",
              orNone(
                'sum by (filter) (rate(otelcol_processor_filter_datapoints_filtered{filter="filter/prom_safe"}[$__rate_interval]))',
                "filter",
              ),
            ),
            prometheus(
              "false claims",
              ["lines", "spans", "points"]
                .map((unit) => `(sum(rate(client_${unit}_mismatched_total[$__rate_interval])) or vector(0))`)
                .join(" + "),
            ),
          ],
          links: [clients],
        },
        {
          kind: "bars",
          title: "Probes through the door",
          description: "How long synthetic requests through the gateway took last, one for each area behind it.",
          ...sized("third"),
          unit: "s",
          thresholds: atMost(0.5, 2),
          queries: [prometheus("{{http_url}}", "max by (http_url) (httpcheck_duration_milliseconds) / 1000")],
          links: [dashboardLink("Service health", "vitrine-service-health")],
        },
        {
          kind: "stat",
          title: "Probes that failed",
          description: "Synthetic requests whose last answer was not 2xx.",
          ...sized("third"),
          unit: "none",
          thresholds: anyIsBad,
          queries: [prometheus("failed", 'count(httpcheck_status{http_status_class="2xx"} == 0) or vector(0)')],
          links: [dashboardLink("Service health", "vitrine-service-health")],
        },
      ],
    },
    {
      title: "In the engines",
      panels: [
        {
          kind: "timeseries",
          title: "Series in Prometheus",
          description: "Time series in memory. A jump is a label whose values have no bound.",
          ...sized("third"),
          unit: "short",
          min: 0,
          queries: [prometheus("series", "max(prometheus_tsdb_head_series)")],
          links: [dashboardLink("Cost", "vitrine-cost")],
        },
        {
          kind: "timeseries",
          title: "Time to evaluate rules",
          description: "Of each group of rules, the last time. It must stay well below the interval of the group, 5 s.",
          ...sized("third"),
          unit: "s",
          min: 0,
          thresholds: atMost(1, 5),
          queries: [
            prometheus(
              "{{rule_group}}",
              'max by (rule_group) (label_replace(prometheus_rule_group_last_duration_seconds, "rule_group", "$1", "rule_group", ".*;(.+)"))',
            ),
          ],
          links: [alerts],
        },
        {
          kind: "timeseries",
          title: "Log lines by service",
          description: "Lines per second that arrived in Loki.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          stacked: true,
          queries: [loki("{{service_name}}", 'sum by (service_name) (rate({service_name=~".+"} [$__auto]))')],
          links: [{ to: "logs", title: "Its lines", expr: '{service_name="${label.service_name}"}' }],
        },
      ],
    },
  ],
};
