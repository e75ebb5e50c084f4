import type { PrometheusQuery, SeriesQuery } from "@vitrine/dashboards/model";
import { type Asking, exemplarsPath, instantPath, rangePath } from "@vitrine/dashboards/requests";
import { z } from "zod";
import { type Answer, type Ask, mapAnswer } from "../engines/ask.ts";
import { matrix, type Sample, type Series, toSeries, vector } from "../engines/prometheus.ts";

/** Values of now. */
export async function askInstant(ask: Ask, query: SeriesQuery, asking: Asking): Promise<Answer<readonly Sample[]>> {
  const answer = await ask({ source: query.datasource, path: instantPath(query, asking), answer: vector });
  return mapAnswer(answer, ({ data }) =>
    data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) })),
  );
}

/** Their way over the range. */
export async function askRange(ask: Ask, query: SeriesQuery, asking: Asking): Promise<Answer<readonly Series[]>> {
  const answer = await ask({ source: query.datasource, path: rangePath(query, asking), answer: matrix });
  return mapAnswer(answer, toSeries);
}

const exemplars = z.object({
  data: z
    .array(
      z.object({
        exemplars: z.array(
          z.object({ labels: z.record(z.string(), z.string()), value: z.string(), timestamp: z.number() }),
        ),
      }),
    )
    .nullish()
    .transform((data) => data ?? []),
});

/** One request behind the numbers. */
export interface Exemplar {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly value: number;
  readonly traceId: string;
}

const maxExemplars = 60;

export async function askExemplars(
  ask: Ask,
  queries: readonly SeriesQuery[],
  asking: Asking,
): Promise<readonly Exemplar[]> {
  const wanted = queries.filter((query): query is PrometheusQuery => "exemplars" in query);
  const answers = await Promise.all(
    wanted.map(({ expr }) => ask({ source: "prometheus", path: exemplarsPath(expr, asking), answer: exemplars })),
  );
  // They are an extra: a chart without them is still the chart.
  return answers
    .flatMap((answer) => (answer.ok ? answer.value.data : []))
    .flatMap((series) => series.exemplars)
    .flatMap(({ labels, value, timestamp }) => {
      const traceId = labels["trace_id"] ?? labels["traceID"] ?? "";
      return /^[0-9a-f]{32}$/.test(traceId) ? [{ at: timestamp, value: Number(value), traceId }] : [];
    })
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, maxExemplars);
}

/** Every answer, or the first that is missing. */
export function together<T>(answers: readonly Answer<T>[]): Answer<readonly T[]> {
  const values: T[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    values.push(answer.value);
  }
  return { ok: true, value: values };
}
