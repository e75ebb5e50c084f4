import { z } from "zod";

const lokiAnswer = z.object({
  data: z.object({
    result: z.array(z.object({ values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});
const prometheusAnswer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
const jaegerAnswer = z.object({
  data: z.array(
    z.object({ traceID: z.string(), spans: z.array(z.object({ spanID: z.string(), operationName: z.string() })) }),
  ),
});

/** The lines of a selector of the last hour, as Loki has them; no cache is asked. */
export async function linesOf(loki: string, selector: string, headers: HeadersInit = {}): Promise<readonly string[]> {
  const start = `${BigInt(Date.now() - 3_600_000) * 1_000_000n}`;
  const query = new URLSearchParams({ query: selector, start, limit: "5000" });
  const answer = lokiAnswer.parse(await getJson(`${loki}/loki/api/v1/query_range?${query}`, headers));
  return answer.data.result.flatMap(({ values }) => values.map(([, line]) => line));
}

/** The newest value of every series an expression has, by the given label. */
export async function valuesOf(prometheus: string, query: string, label: string): Promise<ReadonlyMap<string, number>> {
  const answer = await getJson(`${prometheus}/api/v1/query?${new URLSearchParams({ query })}`);
  return new Map(
    prometheusAnswer
      .parse(answer)
      .data.result.map(({ metric, value: [, value] }) => [metric[label] ?? "", Number(value)]),
  );
}

/** The names of the spans of a service, of at most 1,500 traces. */
export async function spansOf(jaeger: string, service: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ service, limit: "1500", lookback: "1h" });
  const answer = jaegerAnswer.parse(await getJson(`${jaeger}/api/traces?${query}`));
  return answer.data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName));
}

export async function getJson(url: string, headers: HeadersInit = {}): Promise<unknown> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response.json();
}
