import { describe, expect, test } from "bun:test";
import type { Attributes, MeterProvider as ApiMeterProvider } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { withSummedCounters } from "./summed-counters.ts";

class CollectingReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

type Recording = readonly [value: number, attributes?: Attributes];

/** What a reader sees of two collections, with recordings before each. */
async function seen(wrap: (provider: ApiMeterProvider) => ApiMeterProvider, rounds: readonly (readonly Recording[])[]) {
  const reader = new CollectingReader();
  const meter = wrap(new MeterProvider({ readers: [reader] })).getMeter("pg", "1.0.0");
  const counter = meter.createUpDownCounter("connections", { unit: "{connection}", description: "open" });
  meter.createHistogram("duration", { unit: "s" }).record(1, { a: 1 });
  const collections = [];
  for (const recordings of rounds) {
    for (const [value, attributes] of recordings) counter.add(value, attributes);
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    collections.push(
      resourceMetrics.scopeMetrics.flatMap(({ scope, metrics }) =>
        metrics
          .toSorted((a, b) => (a.descriptor.name < b.descriptor.name ? -1 : 1))
          .map(({ descriptor: { name, unit, description, valueType }, dataPoints, ...data }) => ({
            scope: [scope.name, scope.version],
            descriptor: { name, unit, description, valueType },
            monotonic: "isMonotonic" in data ? data.isMonotonic : undefined,
            temporality: data.aggregationTemporality,
            points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
          })),
      ),
    );
  }
  return collections;
}

describe("summed counters", () => {
  const rounds: readonly (readonly Recording[])[] = [
    [
      [1, { state: "used", pool: "a" }],
      [2, { pool: "a", state: "used" }],
      [0, { state: "idle", pool: "a" }],
      [-4, { state: "used", pool: "b" }],
      [1, { n: 1 }],
      [1, { n: "1" }],
      [7],
    ],
    [
      [-1, { state: "used", pool: "a" }],
      [1, { list: ["x", "y"] }],
      [1, {}],
    ],
  ];

  test("give what the counters of the SDK give, with attributes in any order and of any type", async () => {
    const plain = await seen((provider) => provider, rounds);
    expect(await seen(withSummedCounters, rounds)).toEqual(plain);
    expect(plain[1]?.[0]?.points).toContainEqual({ attributes: { state: "used", pool: "a" }, value: 2 });
  });

  test("keep a bounded number of series, and lose no recording past it", async () => {
    const many = Array.from({ length: 2_500 }, (_, n): Recording => [1, { n }]);
    const [collection] = await seen(withSummedCounters, [many]);
    const points = collection?.[0]?.points ?? [];
    expect(points).toHaveLength(1_901);
    expect(points.reduce((total, { value }) => total + Number(value), 0)).toBe(2_500);
    expect(points.some(({ attributes }) => attributes["otel.metric.overflow"] === true)).toBe(true);
  });
});
