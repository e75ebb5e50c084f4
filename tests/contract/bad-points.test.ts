import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "@vitrine/kit/testing/eventually";
import { stackTimeoutMs, startTelemetryStack, type TelemetryStack } from "./telemetry-stack.ts";

/**
 * Prometheus refuses a whole request for one point it does not like, and the collector sends what several clients sent
 * in one. Whatever one client sends, what the others send at that moment arrives.
 */
let stack: TelemetryStack;

setDefaultTimeout(60_000);

beforeAll(async () => {
  stack = await startTelemetryStack();
}, stackTimeoutMs);

afterAll(() => stack.stop());

const hourMs = 3_600_000;
const at = (offsetMs: number): string => `${BigInt(Date.now() + offsetMs) * 1_000_000n}`;

interface Point {
  readonly offsetMs?: number;
  readonly value?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

function sum(name: string, points: readonly Point[], aggregationTemporality = 2) {
  const dataPoints = points.map(({ offsetMs = 0, value = 1, attributes = {} }) => ({
    startTimeUnixNano: at(offsetMs - 60_000),
    timeUnixNano: at(offsetMs),
    asInt: String(value),
    attributes: Object.entries(attributes).map(([key, text]) => ({ key, value: { stringValue: text } })),
  }));
  return { name, sum: { aggregationTemporality, isMonotonic: true, dataPoints } };
}

function histogram(name: string, bucketCounts: readonly string[], explicitBounds: readonly number[]) {
  const point = {
    startTimeUnixNano: at(-60_000),
    timeUnixNano: at(0),
    count: "3",
    sum: 1,
    bucketCounts,
    explicitBounds,
  };
  return { name, histogram: { aggregationTemporality: 2, dataPoints: [point] } };
}

/** What has been seen to make Prometheus refuse a request, and what might. */
const faults: readonly (readonly [string, (name: string) => object])[] = [
  ["a difference instead of a total", (name) => sum(name, [{}], 1)],
  ["a point from a day and a half ago", (name) => sum(name, [{ offsetMs: -36 * hourMs }])],
  ["a point from the year 1970", (name) => sum(name, [{ offsetMs: 90_000 - Date.now() }])],
  ["a point from the future", (name) => sum(name, [{ offsetMs: hourMs }])],
  ["two values at one time", (name) => sum(name, [{ value: 1 }, { value: 2 }])],
  ["two attributes that become one label", (name) => sum(name, [{ attributes: { "a.b": "1", "a-b": "2", a_b: "3" } }])],
  ["a label that Prometheus keeps for itself", (name) => sum(name, [{ attributes: { __name__: "x", le: "y" } }])],
  ["no name", () => sum("", [{}])],
  ["a name of other letters", () => sum("ζähler.日本", [{}])],
  ["no time", (name) => ({ name, gauge: { dataPoints: [{ asDouble: 1 }] } })],
  [
    "a value that is no number",
    (name) => ({ name, gauge: { dataPoints: [{ asDouble: "NaN", timeUnixNano: at(0) }] } }),
  ],
  ["more buckets than bounds", (name) => histogram(name, ["1", "1", "1"], [0.1])],
  ["bounds that fall", (name) => histogram(name, ["1", "1", "1"], [0.5, 0.1])],
  ["a label of 200 kB", (name) => sum(name, [{ attributes: { long: "x".repeat(200_000) } }])],
];

async function send(service: string, metrics: readonly object[]): Promise<number> {
  const response = await fetch(`${stack.otlp}/v1/metrics`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await stack.token("telemetry:write", service)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ metrics }] }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function isStored(name: string, service: string): Promise<true | undefined> {
  const query = new URLSearchParams({ query: `${name}_total{service_name="${service}"}` });
  const answer = await (await fetch(`${stack.prometheus}/api/v1/query?${query}`)).text();
  return answer.includes('"value"') || undefined;
}

describe.each([...faults])("a client that sends %s", (_, fault) => {
  test("costs another client nothing", async () => {
    const id = crypto.randomUUID().replaceAll("-", "");
    const names = Array.from({ length: 5 }, (_unused, index) => `good_${id}_${index}`);
    // In turns, so that the collector has both at hand whenever it makes a batch.
    for (const name of names) {
      expect(await send("careless", [fault(`bad_${id}`), sum(`own_${id}`, [{}])])).toBe(200);
      expect(await send("careful", [sum(name, [{}])])).toBe(200);
    }
    for (const name of names) await eventually(`${name} is stored`, 15_000, () => isStored(name, "careful"));
  });
});

test.each(faults.slice(0, 4))("%s costs not even the client's own good points", async (_, fault) => {
  const id = crypto.randomUUID().replaceAll("-", "");
  expect(await send("careless", [fault(`bad_${id}`), sum(`own_${id}`, [{}])])).toBe(200);
  await eventually("its own metric is stored", 15_000, () => isStored(`own_${id}`, "careless"));
});
