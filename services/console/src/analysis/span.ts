import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import type { Answer } from "../engines/ask.ts";
import type { Loki } from "../engines/loki.ts";
import type { Range } from "../engines/prometheus.ts";
import { type LogFilter, logQuery } from "../logs/filter.ts";
import { analyse } from "./analyze.ts";
import { readLines } from "./from-loki.ts";

/** Lines of a span that are read, and of the span before it to tell what is new. */
const maxLines = 20_000;
const maxBefore = 5_000;

export async function analyseSpan(loki: Loki, filter: LogFilter, range: Range): Promise<Answer<AnalysisReport>> {
  const query = logQuery(filter);
  const lengthMs = range.toMs - range.fromMs;
  const [read, before] = await Promise.all([
    readLines(loki, query, range, maxLines),
    readLines(loki, query, { fromMs: range.fromMs - lengthMs, toMs: range.fromMs }, maxBefore),
  ]);
  if (!read.ok) return read;
  // With nothing before, everything would be new.
  const known = before.ok && before.value.lines.length > 0 ? { before: before.value.lines } : {};
  return { ok: true, value: await analyse({ ...read.value, ...known }) };
}
