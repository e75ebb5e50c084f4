import type { HistoryQuery } from "@vitrine/contracts/console";
import { quoted } from "../engines/loki.ts";

/** As the recording rules count it, one series per service. */
const expressions: Readonly<Record<HistoryQuery["metric"], (selector: string) => string>> = {
  requests_per_second: (selector) => `service:http_requests:rate5m${selector}`,
  error_ratio: (selector) => `service:http_errors:ratio_rate5m${selector}`,
  latency_p95_seconds: (selector) => `service:http_request_duration_seconds:p95_5m${selector}`,
  memory_bytes: (selector) => `max by (service_name) (process_memory_usage_bytes${selector})`,
  processors: (selector) => `sum by (service_name) (rate(process_cpu_time_seconds_total${selector}[5m]))`,
  orders_per_minute: (selector) => `sum by (service_name) (rate(orders_placed_total${selector}[5m])) * 60`,
};

export function historyExpression({ metric, service }: HistoryQuery): string {
  return expressions[metric](service === undefined ? "" : `{service_name=${quoted(service)}}`);
}
