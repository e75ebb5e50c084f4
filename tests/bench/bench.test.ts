import { expect, test } from "bun:test";
import { describeMachine, toReport, toText } from "./harness/report.ts";
import { runBench } from "./harness/run.ts";
import { gatewayBench } from "./gateway/bench.ts";
import { kitBench } from "./kit/bench.ts";

const runtime = { bun: process.execPath, path: process.env["PATH"] ?? "" };
const never = new AbortController().signal;
const tiny = {
  rounds: 1,
  seconds: 0.5,
  warmupSeconds: 0.1,
  quietMs: 3_000,
  connections: 8,
  only: ["kit"],
  scenarios: [],
};

test("the kit bench measures bare and kit on all routes, and every span, log and recording of the kit arrives", async () => {
  const said: string[] = [];
  const run = await runBench(kitBench, tiny, runtime, { say: (line) => said.push(line), signal: never });
  const report = toReport("kit", new Date(0), describeMachine(), tiny, run);

  expect(report.faults).toEqual([]);
  expect(report.routes.map(({ name }) => name)).toEqual(["hello", "query", "five queries and a call"]);
  for (const { variants } of report.routes) {
    expect(variants.map(({ variant }) => variant)).toEqual(["bare", "kit"]);
    const [bare, kit] = variants;
    expect(bare?.throughputRatio).toEqual({ median: 1, min: 1, max: 1 });
    expect(kit?.throughputRatio.median).toBeGreaterThan(0);
    expect(kit?.requestsPerSecond.median).toBeGreaterThan(0);
    expect(kit?.p99Ms.median).toBeGreaterThanOrEqual(kit?.p50Ms.median ?? Number.POSITIVE_INFINITY);
  }
  const arrived = Object.fromEntries(report.deliveries.map((delivery) => [delivery.kind, delivery.arrived]));
  const measured = run.measurements.filter(({ variant }) => variant === "kit");
  const requests = measured.reduce((sum, measurement) => sum + measurement.requests, 0);
  expect(report.deliveries.every((delivery) => delivery.variant === "kit")).toBe(true);
  expect(arrived["serverSpans"]).toBeGreaterThanOrEqual(requests);
  expect(arrived["accessLogs"]).toBe(arrived["serverSpans"]);
  expect(arrived["requestDurations"]).toBe(arrived["serverSpans"]);
  const requestsOf = (name: string) =>
    measured.find(({ route }) => route === name)?.requests ?? Number.POSITIVE_INFINITY;
  const statements = requestsOf("query") + 5 * requestsOf("five queries and a call");
  expect(arrived["sqlSpans"]).toBeGreaterThanOrEqual(statements);
  expect(said).toContain("round 1 of 1 done");
  expect(toText(report)).toMatch(/\| kit +\| bare +\|/);
}, 60_000);

test("the gateway bench lets through what may pass, refuses the rest, and every accepted byte arrives", async () => {
  const settings = { ...tiny, seconds: 0.3, only: ["gateway"], scenarios: ["refused", "small", "tokens"] };
  const bench = gatewayBench(runtime.path);
  const run = await runBench(bench, settings, runtime, { say: () => undefined, signal: never });

  expect(run.faults).toEqual([]);
  expect(run.skipped).toContainEqual({ variant: "nginx", reason: "not asked for" });
  expect(run.measurements.map(({ route, variant }) => `${route}: ${variant}`)).toEqual([
    "16 KiB: none",
    "16 KiB: gateway",
    "16 KiB, 1,000 tokens: none",
    "16 KiB, 1,000 tokens: gateway",
    "64 bytes: none",
    "64 bytes: gateway",
    "16 KiB, four of five refused: gateway",
  ]);
  const arrived = run.deliveries.find(({ variant, kind }) => variant === "gateway" && kind === "posts");
  expect(arrived?.arrived).toBeGreaterThan(0);
  expect(toText(toReport("gateway", new Date(0), describeMachine(), settings, run))).toMatch(/\| gateway +\| none +\|/);
}, 60_000);

test("a scenario the gateway bench does not have is refused by name", async () => {
  const settings = { ...tiny, only: ["gateway"], scenarios: ["huge"] };
  const attempt = runBench(gatewayBench(runtime.path), settings, runtime, { say: () => undefined, signal: never });
  await expect(attempt).rejects.toThrow("no such scenario: huge");
});

test("a variant the bench does not have is refused by name before anything is measured", async () => {
  const attempt = runBench(kitBench, { ...tiny, only: ["fastest"] }, runtime, { say: () => undefined, signal: never });
  await expect(attempt).rejects.toThrow("no such variant: fastest");
});
