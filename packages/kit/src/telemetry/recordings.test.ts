import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { type Attributes, diag, DiagLogLevel, type Meter, metrics, ValueType } from "@opentelemetry/api";
import { type DataPoint, type MetricData, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { Recordings } from "./recordings.ts";

class CollectingReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

afterEach(() => {
  metrics.disable();
  diag.disable();
});

/** A meter of the SDK alone, or with recordings before it; and what a reader sees of it. */
function setUp(by: "sdk" | "recordings") {
  const recordings = new Recordings();
  const reader = new CollectingReader(by === "sdk" ? {} : { metricProducers: [recordings] });
  const sdk = new MeterProvider({ readers: [reader] });
  const provider = by === "sdk" ? sdk : recordings.over(sdk);
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    return resourceMetrics.scopeMetrics.flatMap(({ scope, metrics: all }) =>
      all.map((metric) => ({ scope: [scope.name, scope.version, scope.schemaUrl], ...metric })),
    );
  };
  return { provider, meter: provider.getMeter("pg", "1.0.0", { schemaUrl: "https://example.com/1" }), collect };
}

/** Without what no two runs have in common. */
function comparable(collected: readonly MetricData[]) {
  const known = ({ descriptor: { name, unit, description, valueType }, dataPoints, ...data }: MetricData) => ({
    ...data,
    descriptor: { name, unit, description, valueType },
    dataPoints: (dataPoints as DataPoint<unknown>[]).map(({ attributes, value }) => ({ attributes, value })),
  });
  return collected.map(known).toSorted((a, b) => (a.descriptor.name < b.descriptor.name ? -1 : 1));
}

type Recording = readonly [value: number, attributes?: Attributes];

const rounds: readonly (readonly Recording[])[] = [
  [
    [1, { state: "used", pool: "a" }],
    [2, { pool: "a", state: "used" }],
    [0, { state: "idle", pool: "a" }],
    [4.5, { state: "used", pool: "b" }],
    [1, { n: 1 }],
    [1, { n: "1" }],
    [1, { a: "x", b: "y" }],
    [1, { a: "x\u0000b\u00001\u0000y" }],
    [1, { a: "x\u0000b\u0000y" }],
    [1, { c: "x" }],
    [1, { a: 1, "2b": 3 }],
    [2, { a: 12, b: 3 }],
    [1, { a: undefined, b: "x" }],
    [1, { b: "x" }],
    [1, { a: Number.NaN, b: "x" }],
    [1, { a: true }],
    [1, { a: "true" }],
    [7],
  ],
  [
    [5, Object.freeze({ state: "used", pool: "a" })],
    [1, { list: ["x", "y"] }],
    [1, { list: ["x,y"] }],
    [Number.POSITIVE_INFINITY, { big: true }],
    [1, { list: ["x", null, "y"] }],
    [1, { list: ["x", undefined, "y"] }],
    [10_000, {}],
    [10_001, {}],
  ],
];

const instruments: Record<string, (meter: Meter) => (value: number, attributes?: Attributes) => void> = {
  "a counter": (meter) => {
    const counter = meter.createCounter("requests", { unit: "{request}", description: "all of them" });
    return (value, attributes) => counter.add(value, attributes);
  },
  "an up-down counter": (meter) => {
    const counter = meter.createUpDownCounter("connections", { unit: "{connection}" });
    return (value, attributes) => counter.add(attributes?.["state"] === "used" ? -value : value, attributes);
  },
  "a counter of whole numbers": (meter) => {
    const counter = meter.createCounter("whole", { valueType: ValueType.INT });
    return (value, attributes) => counter.add(value, attributes);
  },
  "a histogram": (meter) => {
    const histogram = meter.createHistogram("duration", { unit: "s" });
    return (value, attributes) => histogram.record(value, attributes);
  },
  "a histogram of one bucket": (meter) => {
    const histogram = meter.createHistogram("undivided", { advice: { explicitBucketBoundaries: [] } });
    return (value, attributes) => histogram.record(value, attributes);
  },
  "a histogram with bounds of its own, in any order and at either infinity": (meter) => {
    const explicitBucketBoundaries = [5, -Infinity, 1, 2, 4.5, Infinity];
    const histogram = meter.createHistogram("bounded", { advice: { explicitBucketBoundaries } });
    return (value, attributes) => histogram.record(value, attributes);
  },
  "an instrument that is made for every recording": (meter) => (value, attributes) =>
    meter.createCounter("again").add(value, attributes),
};

describe.each(Object.entries(instruments))("%s", (_, make) => {
  test("tells what one of the SDK tells, collection after collection", async () => {
    const sdk = setUp("sdk");
    const own = setUp("recordings");
    const recorders = [sdk, own].map(({ meter }) => make(meter));
    for (const recordings of rounds) {
      for (const recording of recordings) for (const record of recorders) record(...recording);
      const expected = comparable(await sdk.collect());
      expect(comparable(await own.collect())).toEqual(expected);
      expect(expected).toHaveLength(1);
    }
  });

  test("keeps a bounded number of series, and loses no recording past it", async () => {
    const many = Array.from({ length: 2_500 }, (_unused, n): Recording => [1, { n }]);
    const sdk = setUp("sdk");
    const own = setUp("recordings");
    for (const { meter } of [sdk, own]) {
      const record = make(meter);
      for (const recording of many) record(...recording);
    }
    const expected = comparable(await sdk.collect());
    expect(comparable(await own.collect())).toEqual(expected);
    expect(expected[0]?.dataPoints).toHaveLength(2_000);
  });
});

test("the bound of series is one for all collections, where the SDK counts anew after each", async () => {
  const { meter, collect } = setUp("recordings");
  const counter = meter.createCounter("requests");
  for (let n = 0; n < 2_500; n += 1) {
    counter.add(1, { n });
    if (n === 1_000) await collect();
  }
  const points = (await collect())[0]?.dataPoints ?? [];
  expect(points).toHaveLength(2_000);
  expect(points.at(-1)).toMatchObject({ attributes: { "otel.metric.overflow": true }, value: 501 });
});

test("instruments of one name are as many as with the SDK, each with the fullest description", async () => {
  const [expected, told] = await Promise.all(
    (["sdk", "recordings"] as const).map(async (by) => {
      const { meter, collect } = setUp(by);
      meter.createCounter("tasks", { description: "done" }).add(1);
      meter.createCounter("tasks", { description: "done, all of them" }).add(2);
      meter.createCounter("tasks", { description: "" }).add(4);
      meter.createCounter("tasks", { unit: "s" }).add(8);
      meter.createCounter("tasks", { valueType: ValueType.INT }).add(16);
      meter.createUpDownCounter("tasks").add(32);
      meter.createHistogram("tasks").record(64);
      return comparable(await collect());
    }),
  );
  expect(told).toEqual(expected ?? []);
  expect(told).toHaveLength(5);
});

test("meters are as many as with the SDK: one without a version is one of an empty version", async () => {
  const [expected, told] = await Promise.all(
    (["sdk", "recordings"] as const).map(async (by) => {
      const { provider, collect } = setUp(by);
      const meters = [
        provider.getMeter("kit"),
        provider.getMeter("kit", ""),
        provider.getMeter("kit", "", { schemaUrl: "" }),
        provider.getMeter("kit", "2"),
        provider.getMeter("kit", "2", { schemaUrl: "https://example.com/2" }),
        provider.getMeter("other", "2"),
      ];
      for (const [at, meter] of meters.entries()) meter.createCounter("requests").add(10 ** at);
      return (await collect()).map(({ scope, dataPoints }) => ({ scope, value: dataPoints[0]?.value }));
    }),
  );
  expect(told).toEqual(expected ?? []);
  expect(told).toHaveLength(4);
});

test("names that differ in case alone are one instrument's, the first", async () => {
  const { meter, collect } = setUp("recordings");
  for (const name of ["Requests", "requests", "replies"]) meter.createCounter(name).add(1);
  const told = (await collect()).map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]);
  expect(told).toEqual([
    ["Requests", 2],
    ["replies", 1],
  ]);
});

test("times are the wall clock's, also after it was set", async () => {
  const { meter, collect } = setUp("recordings");
  const counter = meter.createCounter("requests");
  try {
    setSystemTime(new Date("2040-01-01T00:00:00.250Z"));
    counter.add(1);
    setSystemTime(new Date("2040-01-01T00:01:00.500Z"));
    const [point] = (await collect())[0]?.dataPoints ?? [];
    expect([toMs(point?.startTime), toMs(point?.endTime)]).toEqual([
      Date.parse("2040-01-01T00:00:00.250Z"),
      Date.parse("2040-01-01T00:01:00.500Z"),
    ]);
  } finally {
    setSystemTime();
  }
});

test("two may collect at once, and each is told all", async () => {
  const { meter, collect } = setUp("recordings");
  meter.createCounter("requests").add(3);
  const told = (await Promise.all([collect(), collect()])).map((all) => all[0]?.dataPoints[0]?.value);
  expect(told).toEqual([3, 3]);
});

test("a list in attributes that are frozen may still change", async () => {
  const { meter, collect } = setUp("recordings");
  const counter = meter.createCounter("requests");
  const list = ["x"];
  const attributes = Object.freeze({ list });
  counter.add(1, attributes);
  list.push("y");
  counter.add(1, attributes);
  expect((await collect())[0]?.dataPoints).toHaveLength(2);
});

test("a series begins with its first recording and is told to the moment of collection", async () => {
  const { meter, collect } = setUp("recordings");
  const counter = meter.createCounter("requests");
  counter.add(1);
  const [first] = (await collect())[0]?.dataPoints ?? [];
  counter.add(1);
  await Bun.sleep(2);
  const [second] = (await collect())[0]?.dataPoints ?? [];
  expect(second?.startTime).toEqual(first?.startTime as [number, number]);
  expect(toMs(first?.endTime)).toBeGreaterThanOrEqual(toMs(first?.startTime));
  expect(toMs(second?.endTime)).toBeGreaterThan(toMs(first?.endTime));
});

function toMs([seconds, nanos]: [number, number] = [Number.NaN, 0]): number {
  return seconds * 1_000 + nanos / 1e6;
}

test("what was collected stays as it was", async () => {
  const { meter, collect } = setUp("recordings");
  const histogram = meter.createHistogram("duration");
  histogram.record(1);
  const before = comparable(await collect());
  const copy = structuredClone(before);
  histogram.record(2);
  expect(before).toEqual(copy);
});

test("an attribute that changes after a recording belongs to the next one alone", async () => {
  const { meter, collect } = setUp("recordings");
  const counter = meter.createCounter("requests");
  const attributes = { route: "a" };
  counter.add(1, attributes);
  attributes.route = "b";
  counter.add(1, attributes);
  expect(comparable(await collect())[0]?.dataPoints).toEqual([
    { attributes: { route: "a" }, value: 1 },
    { attributes: { route: "b" }, value: 1 },
  ]);
});

test("what is no number, or negative where nothing can be, is told and not recorded", async () => {
  const warnings: string[] = [];
  const tell = (text: string) => void warnings.push(text);
  diag.setLogger({ error: tell, warn: tell, info: tell, debug: tell, verbose: tell }, DiagLogLevel.WARN);
  const { meter, collect } = setUp("recordings");
  meter.createCounter("requests").add(-1);
  meter.createHistogram("duration").record(-1);
  meter.createHistogram("duration").record(Number.NaN);
  meter.createUpDownCounter("connections").add("2" as unknown as number);
  meter.createCounter("whole", { valueType: ValueType.INT }).add(Number.POSITIVE_INFINITY);
  expect(await collect()).toEqual([]);
  expect(warnings).toEqual([
    "requests cannot record -1",
    "duration cannot record -1",
    "duration cannot record NaN",
    "connections cannot record 2",
    "whole cannot record Infinity",
  ]);
});

test("gauges and what is observed stay with the SDK, beside what is recorded", async () => {
  const { meter, collect } = setUp("recordings");
  meter.createGauge("temperature").record(3);
  meter.createObservableGauge("age").addCallback((result) => result.observe(4));
  meter.createCounter("requests").add(5);
  const collected = await collect();
  expect(new Set(collected.map(({ scope }) => scope.join(" ")))).toEqual(new Set(["pg 1.0.0 https://example.com/1"]));
  const told = comparable(collected).map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]);
  expect(told).toEqual([
    ["age", 4],
    ["requests", 5],
    ["temperature", 3],
  ]);
});

test("started, they are what everybody's meters record into", async () => {
  const recordings = new Recordings();
  const reader = new CollectingReader({ metricProducers: [recordings] });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  recordings.start();
  metrics.getMeter("anyone").createCounter("requests").add(1);
  metrics.getMeter("nobody").createCounter("requests");
  const { resourceMetrics } = await reader.collect();
  expect(resourceMetrics.scopeMetrics.map(({ scope }) => scope.name)).toEqual(["anyone"]);
  expect((await recordings.collect()).resourceMetrics.scopeMetrics).toHaveLength(1);
});
