import { z } from "zod";
import { type Answer, type Ask, mapAnswer } from "./ask.ts";
import { matrix, type Range, type Series, stepOf, toSeries } from "./prometheus.ts";

const labels = z.record(z.string(), z.string());

export const streams = z.object({
  data: z.object({
    result: z.array(z.object({ stream: labels, values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});

/** One log line; what it says beside its message is in `fields`, under the names of Loki. */
export interface LogEntry {
  /** Nanoseconds since the epoch: more digits than a number holds. */
  readonly timeNs: string;
  readonly message: string;
  readonly service: string;
  readonly level: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface LinesOptions extends Range {
  readonly limit: number;
  readonly direction?: "backward" | "forward";
  /** Milliseconds; for many lines more than what a page waits for a few. */
  readonly timeoutMs?: number;
}

export interface Loki {
  /** In the order of time; of more than `limit` lines the newest, or the oldest if `direction` is `forward`. */
  lines(query: string, options: LinesOptions): Promise<Answer<readonly LogEntry[]>>;
  /** A metric query over time. */
  range(query: string, range: Range, stepSeconds?: number): Promise<Answer<readonly Series[]>>;
}

export function createLoki(ask: Ask): Loki {
  return {
    lines: async (query, { fromMs, toMs, limit, direction = "backward", timeoutMs }) => {
      const answer = await ask({
        source: "loki",
        path: "/loki/api/v1/query_range",
        query: { query, start: toNs(fromMs), end: toNs(toMs), limit: String(limit), direction },
        answer: streams,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      return mapAnswer(answer, toEntries);
    },
    range: async (query, { fromMs, toMs }, stepSeconds = stepOf({ fromMs, toMs })) => {
      const answer = await ask({
        source: "loki",
        path: "/loki/api/v1/query_range",
        query: { query, start: toNs(fromMs), end: toNs(toMs), step: String(stepSeconds) },
        answer: matrix,
      });
      return mapAnswer(answer, toSeries);
    },
  };
}

export function toEntries({ data }: z.output<typeof streams>): readonly LogEntry[] {
  return data.result
    .flatMap(({ stream, values }) => values.map(([timeNs, message]) => toEntry(timeNs, message, stream)))
    .toSorted((a, b) => compareNs(a.timeNs, b.timeNs));
}

function toEntry(timeNs: string, message: string, fields: LogEntry["fields"]): LogEntry {
  const level = fields["severity_text"] ?? fields["detected_level"] ?? fields["level"] ?? "unknown";
  return { timeNs, message, service: fields["service_name"] ?? "unknown", level: level.toLowerCase(), fields };
}

function compareNs(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function toNs(ms: number): string {
  return `${Math.round(ms)}000000`;
}

export function toMs(ns: string): number {
  return Number(ns.slice(0, -6)) + Number(ns.slice(-6)) / 1e6;
}

/** A text as LogQL and PromQL write it: whatever is in it stays one value. */
export function quoted(value: string): string {
  // JSON escapes what Go does; only its surrogate pairs of older engines differ, and those are not made any more.
  return JSON.stringify(value);
}
