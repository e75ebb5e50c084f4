import { z } from "zod";
import { type Answer, type Ask, mapAnswer } from "./ask.ts";

const labels = z.record(z.string(), z.string());
/** Seconds since the epoch and a number as text; `NaN` and `+Inf` are numbers, too. */
const point = z.tuple([z.number(), z.string()]);

export const vector = z.object({ data: z.object({ result: z.array(z.object({ metric: labels, value: point })) }) });
export const matrix = z.object({
  data: z.object({ result: z.array(z.object({ metric: labels, values: z.array(point) })) }),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since the epoch, and the value then. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Range {
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Prometheus {
  instant(query: string, atMs?: number): Promise<Answer<readonly Sample[]>>;
  range(query: string, range: Range, stepSeconds?: number): Promise<Answer<readonly Series[]>>;
}

export function createPrometheus(ask: Ask): Prometheus {
  return {
    instant: async (query, atMs) => {
      const time = atMs === undefined ? undefined : String(atMs / 1_000);
      const answer = await ask({
        source: "prometheus",
        path: "/prometheus/api/v1/query",
        query: { query, time },
        answer: vector,
      });
      return mapAnswer(answer, ({ data }) =>
        data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) })),
      );
    },
    range: async (query, { fromMs, toMs }, stepSeconds = stepOf({ fromMs, toMs })) => {
      const answer = await ask({
        source: "prometheus",
        path: "/prometheus/api/v1/query_range",
        query: { query, start: String(fromMs / 1_000), end: String(toMs / 1_000), step: String(stepSeconds) },
        answer: matrix,
      });
      return mapAnswer(answer, toSeries);
    },
  };
}

export function toSeries({ data }: z.output<typeof matrix>): readonly Series[] {
  return data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([at, value]) => [at, Number(value)] as const),
  }));
}

const maxPoints = 240;

/** Seconds between points, so that a chart has about as many as it has room for. */
export function stepOf({ fromMs, toMs }: Range): number {
  return Math.max(5, Math.ceil((toMs - fromMs) / 1_000 / maxPoints));
}
