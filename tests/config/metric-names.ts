import { prometheusNames } from "@vitrine/contracts/signals";
import { metrics, type MetricDefinition } from "@vitrine/contracts/telemetry";

export const contractNames: ReadonlySet<string> = new Set(
  Object.values(metrics).flatMap((definition: MetricDefinition) => prometheusNames(definition)),
);

/** What rules may read beside the contract, by who makes it. */
export const foreignNames = {
  "@opentelemetry/instrumentation-pg": [
    "db_client_connection_count",
    "db_client_connection_max",
    "db_client_connection_pending_requests",
  ],
  "the collector's receivers and connectors": [
    "client_lines_mismatched_total",
    "client_lines_redated_total",
    "client_points_mismatched_total",
    "client_points_refused_total",
    "client_spans_mismatched_total",
    "httpcheck_error",
    "httpcheck_status",
    "httpcheck_tls_cert_remaining_seconds",
    "postgresql_connection_max",
    "security_events_logged_total",
    "system_cpu_time_seconds_total",
    "system_filesystem_inodes_usage",
    "system_filesystem_usage_bytes",
    "system_memory_usage_bytes",
    "traces_span_metrics_calls_total",
  ],
  "the collector about itself": [
    "otelcol_exporter_enqueue_failed_log_records",
    "otelcol_exporter_enqueue_failed_metric_points",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_exporter_queue_capacity",
    "otelcol_exporter_queue_size",
    "otelcol_exporter_send_failed_log_records",
    "otelcol_exporter_send_failed_metric_points",
    "otelcol_exporter_send_failed_spans",
    "otelcol_process_uptime",
    "otelcol_processor_filter_datapoints_filtered",
    "otelcol_receiver_refused_log_records",
    "otelcol_receiver_refused_metric_points",
    "otelcol_receiver_refused_spans",
  ],
  Prometheus: [
    "process_start_time_seconds",
    "prometheus_config_last_reload_successful",
    "prometheus_notifications_alertmanagers_discovered",
    "prometheus_notifications_dropped_total",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_iterations_missed_total",
    "prometheus_tsdb_compactions_failed_total",
    "prometheus_tsdb_wal_corruptions_total",
    "prometheus_tsdb_wal_writes_failed_total",
    "up",
  ],
  Jaeger: ["otelcol_process_uptime_seconds_total"],
  Loki: [
    "loki_discarded_samples_total",
    "loki_ingester_wal_disk_full_failures_total",
    "loki_ingester_wal_disk_usage_percent",
    "loki_mutated_samples_total",
    "loki_prometheus_rule_evaluation_failures_total",
  ],
  Alertmanager: ["alertmanager_config_last_reload_successful", "alertmanager_notifications_failed_total"],
} as const;

const keywords = new Set(["and", "or", "unless", "offset", "bool", "by", "on", "ignoring", "without"]);

/** The metrics a PromQL expression reads, also those it selects by an alternation in `__name__`; `.+` is no name. */
export function metricsIn(expression: string): ReadonlySet<string> {
  const byPattern = [...expression.matchAll(/__name__=~"([^"]+)"/g)].flatMap(([, pattern]) => expand(pattern ?? ""));
  const bare = expression
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, "");
  const byName = [...bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?![\w:]|\s*\()/g)].map(([, name]) => name ?? "");
  return new Set([
    ...byPattern.filter((name) => name !== ".+"),
    ...byName.filter((name) => !keywords.has(name) && !/^\d/.test(name)),
  ]);
}

/** `a_(b|c)` to `a_b` and `a_c`; no other means of regular expressions. */
function expand(pattern: string): readonly string[] {
  const match = /^(.*?)\(([^()]+)\)(.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = "", alternatives = "", after = ""] = match;
  return alternatives.split("|").flatMap((one) => expand(before + one + after));
}
