import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import type { ParsedLine } from "./parse.ts";

const maxActions = 15;

/** What took longest, by its 95th percentile. */
export function slowestActions(lines: readonly ParsedLine[]): AnalysisReport["slowest"] {
  const timed = lines.flatMap(({ action, durationMs, requestId }) =>
    action === undefined || durationMs === undefined ? [] : [{ action, durationMs, requestId }],
  );
  return [...Map.groupBy(timed, ({ action }) => action)]
    .map(([action, own]) => {
      const sorted = own.toSorted((a, b) => a.durationMs - b.durationMs);
      const durations = sorted.map(({ durationMs }) => durationMs);
      const slowest = sorted.at(-1);
      return {
        action,
        count: own.length,
        medianMs: quantile(durations, 0.5),
        p95Ms: quantile(durations, 0.95),
        maxMs: slowest?.durationMs ?? 0,
        requestId: slowest?.requestId ?? null,
      };
    })
    .toSorted((a, b) => b.p95Ms - a.p95Ms)
    .slice(0, maxActions);
}

/** Of sorted values, by nearest rank; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
}
