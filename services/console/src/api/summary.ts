import type { Summary } from "@vitrine/contracts/console";
import type { Engines } from "../engines/engines.ts";
import { type LogEntry, toMs } from "../engines/loki.ts";
import { healthQuestion, toServices } from "../overview/health.tsx";
import { failuresQuery } from "../overview/trouble.tsx";
import { toFiring, toMissing } from "./alerts.ts";

const hourMs = 3_600_000;

/** What the overview shows, for scripts. Who does not answer is named; the rest is told. */
export async function summarise(
  { prometheus, alertmanager, loki }: Engines,
  n: number,
  nowMs: number,
): Promise<Summary> {
  const [health, alerts, failures] = await Promise.all([
    prometheus.instant(healthQuestion),
    alertmanager.firing(),
    loki.lines(failuresQuery, { fromMs: nowMs - hourMs, toMs: nowMs, limit: n }),
  ]);
  return {
    at: new Date(nowMs).toISOString(),
    services: (health.ok ? toServices(health.value) : []).map(({ name, up, rate, errorRatio, p95Ms }) => ({
      name,
      state: up === undefined ? "silent" : up === 0 ? "not_ready" : "ready",
      requestsPerSecond: finite(rate) ?? 0,
      errorRatio: finite(errorRatio) ?? 0,
      p95Seconds: finite(p95Ms / 1_000),
    })),
    alerts: (alerts.ok ? alerts.value : []).slice(0, n).map(toFiring),
    failures: (failures.ok ? failures.value : []).toReversed().map(toFailure),
    missing: [health, alerts, failures].flatMap((answer) => (answer.ok ? [] : [toMissing(answer.missing)])),
  };
}

function toFailure({ timeNs, fields, message }: LogEntry): Summary["failures"][number] {
  return {
    at: new Date(toMs(timeNs)).toISOString(),
    requestId: fields["request_id"] ?? null,
    route: fields["extra_route"] ?? message,
    status: Math.trunc(finite(Number(fields["extra_status"])) ?? 0),
    durationMs: finite(Number(fields["duration_ms"] ?? Number.NaN)),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
