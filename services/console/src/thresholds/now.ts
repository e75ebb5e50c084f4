import type { ThresholdName } from "@vitrine/contracts/thresholds";
import { type Answer, mapAnswer } from "../engines/ask.ts";
import type { Engines } from "../engines/engines.ts";

/** The worst of all services, as the alert measures it. */
const questions: Readonly<Record<ThresholdName, string>> = {
  error_ratio: "service:http_errors:ratio_rate5m",
  latency_p95_seconds: "service:http_request_duration_seconds:p95_5m",
  slow_queries_per_minute: "sum by (service_name) (increase(db_slow_queries_total[5m])) / 5",
  failed_sign_ins_per_minute:
    'label_replace(auth_method:auth_failures:increase5m{auth_method=~"password|client_credentials|token_exchange"} / 5, "service_name", "$1", "auth_method", "(.+)")',
  memory_bytes: "max by (service_name) (last_over_time(process_memory_usage_bytes[30s]))",
  cpu_ratio: "max by (service_name) (sum by (service_name, instance) (rate(process_cpu_time_seconds_total[5m])))",
  database_connections_ratio: "service:db_pool_used:ratio",
};

export interface Measured {
  readonly value: number;
  /** Where it is so. */
  readonly where: string;
}

const question = Object.entries(questions)
  .map(([name, query]) => `label_replace(topk(1, ${query}), "threshold", "${name}", "", "")`)
  .join(" or ");

/** What each threshold is held against at this moment. */
export async function measureNow({ prometheus }: Engines): Promise<Answer<ReadonlyMap<string, Measured>>> {
  return mapAnswer(
    await prometheus.instant(question),
    (samples) =>
      new Map(
        // A share of nothing is no number, and nothing measured.
        samples
          .filter(({ value }) => Number.isFinite(value))
          .map(({ labels, value }) => [labels["threshold"] ?? "", { value, where: labels["service_name"] ?? "" }]),
      ),
  );
}
