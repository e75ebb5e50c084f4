import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import type { ParsedLine } from "./parse.ts";
import { quantile } from "./slowest.ts";

const buckets = 60;
const minBucketMs = 1_000;
const minErrors = 5;
/** Times the usual that is a burst. */
const factor = 4;
const maxBursts = 20;

export function isError({ level, status }: ParsedLine): boolean {
  return level === "error" || level === "fatal" || status >= 500;
}

/** Times in which there were at least five errors and many times the usual; neighbours are one burst. */
export function errorBursts(lines: readonly ParsedLine[]): AnalysisReport["bursts"] {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const { timeMs } of lines) {
    if (timeMs === undefined) continue;
    fromMs = Math.min(fromMs, timeMs);
    toMs = Math.max(toMs, timeMs);
  }
  if (!(toMs > fromMs)) return [];
  const widthMs = Math.max((toMs - fromMs) / buckets, minBucketMs);
  const counts = Array.from({ length: Math.floor((toMs - fromMs) / widthMs) + 1 }, () => 0);
  for (const line of lines) {
    if (line.timeMs === undefined || !isError(line)) continue;
    const at = Math.floor((line.timeMs - fromMs) / widthMs);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const usual = quantile(
    counts.toSorted((a, b) => a - b),
    0.5,
  );
  const bursts: { at: number; until: number; errors: number }[] = [];
  for (const [at, errors] of counts.entries()) {
    if (errors < minErrors || errors <= usual * factor) continue;
    const last = bursts.at(-1);
    if (last !== undefined && last.until === at) {
      last.until = at + 1;
      last.errors += errors;
    } else bursts.push({ at, until: at + 1, errors });
  }
  return bursts
    .toSorted((a, b) => b.errors - a.errors)
    .slice(0, maxBursts)
    .map(({ at, until, errors }) => ({
      from: new Date(fromMs + at * widthMs).toISOString(),
      to: new Date(Math.min(fromMs + until * widthMs, toMs)).toISOString(),
      errors,
      usual: usual * (until - at),
    }));
}
