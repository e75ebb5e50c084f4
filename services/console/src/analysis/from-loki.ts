import type { Answer } from "../engines/ask.ts";
import { type LogEntry, type Loki, toMs } from "../engines/loki.ts";
import type { Range } from "../engines/prometheus.ts";
import { fromFields, type ParsedLine } from "./parse.ts";

/** What Loki answers at most at once. */
const batchSize = 5_000;
const timeoutMs = 30_000;

export interface ReadLines {
  readonly lines: readonly ParsedLine[];
  readonly complete: boolean;
}

/** The newest lines of a span, up to `maxLines`. */
export async function readLines(loki: Loki, query: string, range: Range, maxLines: number): Promise<Answer<ReadLines>> {
  const seen = new Set<string>();
  const lines: ParsedLine[] = [];
  let { toMs: untilMs } = range;
  while (lines.length < maxLines) {
    const answer = await loki.lines(query, { fromMs: range.fromMs, toMs: untilMs, limit: batchSize, timeoutMs });
    if (!answer.ok) return answer;
    const known = lines.length;
    for (const entry of answer.value) {
      const key = `${entry.timeNs} ${entry.service} ${entry.fields["span_id"] ?? ""} ${entry.message}`;
      // The batches share the millisecond at which they meet.
      if (seen.has(key)) continue;
      seen.add(key);
      lines.push(toLine(entry));
    }
    const [oldest] = answer.value;
    if (answer.value.length < batchSize || oldest === undefined) return { ok: true, value: { lines, complete: true } };
    // More lines in one millisecond than Loki answers at once: there is no way past them.
    if (lines.length === known) break;
    untilMs = Math.ceil(toMs(oldest.timeNs)) + 1;
  }
  return { ok: true, value: { lines, complete: false } };
}

function toLine({ timeNs, message, service, level, fields }: LogEntry): ParsedLine {
  return fromFields({ ...fields, time: toMs(timeNs), message, service, level }, message);
}
