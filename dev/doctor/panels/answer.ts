import type { Scope } from "@vitrine/dashboards/interpolate";
import { z } from "zod";

const sample = z.tuple([z.number(), z.string()]);
const series = z.object({ metric: z.record(z.string(), z.string()), values: z.array(sample) });
const stream = z.object({ stream: z.record(z.string(), z.string()), values: z.array(z.array(z.unknown())) });
const instant = z.object({ metric: z.record(z.string(), z.string()), value: sample });
const exemplars = z.object({ seriesLabels: z.record(z.string(), z.string()), exemplars: z.array(z.unknown()) });

/** What Prometheus, Loki and Jaeger answer a query with: two envelopes, and lists of what was found. */
const answer = z.union([
  z.object({ data: z.object({ result: z.array(z.union([series, stream, instant])) }) }),
  z.object({ data: z.array(z.union([z.string(), exemplars, z.object({ traceID: z.string() })])) }),
]);

export interface Found {
  /** Series with a number, lines, traces or values. */
  readonly count: number;
  /** Labels of the first of them. */
  readonly labels: Scope;
}

/**
 * Counts what an answer shows. A series of nothing but NaN shows nothing.
 *
 * @throws {Error} if the answer is none of an engine
 */
export function read(text: string): Found {
  const { data } = answer.parse(JSON.parse(text));
  const found = Array.isArray(data) ? data.flatMap(labelsOfItem) : data.result.flatMap(labelsOfResult);
  return { count: found.length, labels: found[0] ?? {} };
}

type Item = z.infer<typeof exemplars> | { readonly traceID: string } | string;

function labelsOfItem(item: Item): readonly Scope[] {
  if (typeof item === "string") return [{}];
  if ("traceID" in item) return [{ trace_id: item.traceID }];
  return item.exemplars.length === 0 ? [] : [item.seriesLabels];
}

type Result = z.infer<typeof series> | z.infer<typeof stream> | z.infer<typeof instant>;

function labelsOfResult(result: Result): readonly Scope[] {
  if ("stream" in result) return result.values.length === 0 ? [] : [result.stream];
  const values = "value" in result ? [result.value] : result.values;
  return values.some(([, value]) => !Number.isNaN(Number(value))) ? [result.metric] : [];
}
