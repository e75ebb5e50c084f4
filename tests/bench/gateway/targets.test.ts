import { expect, test } from "bun:test";
import type { Measurement } from "../harness/measurement.ts";
import { acceptedRecords } from "./collector.ts";
import { planCores } from "./cores.ts";
import { targetLines } from "./targets.ts";

function measured(variant: string, round: number, requestsPerSecond: number, p99Ms: number): Measurement {
  const usage = { cpuMicros: 1e6 / requestsPerSecond, residentBytes: 1 };
  return { route: "16 KiB", variant, round, requests: 1, requestsPerSecond, p50Ms: 1, p99Ms, usage };
}

test("a target is named with what was reached and whether that is enough", () => {
  const both = [measured("gateway", 0, 500, 1), measured("nginx", 0, 100, 3), measured("other", 0, 1, 1)];
  expect(targetLines(both, "16 KiB")).toEqual([
    "throughput on one core, gateway ÷ nginx: 5.00 (5.00–5.00); target at least 5: reached",
    "requests per second of CPU, gateway ÷ nginx: 5.00 (5.00–5.00); target at least 5: reached",
    "p99, gateway ÷ nginx: 0.33 (0.33–0.33); target at most 0.5: reached",
  ]);
  expect(targetLines(both.slice(0, 1), "16 KiB")).toEqual([]);
  expect(targetLines(both, "1 MiB")).toEqual([]);
});

test("what a collector took is the sum over its receivers, whatever the labels", () => {
  const text = [
    "# TYPE otelcol_receiver_accepted_log_records_total counter",
    'otelcol_receiver_accepted_log_records_total{receiver="otlp",transport="http"} 12',
    'otelcol_receiver_accepted_log_records__records__total{receiver="other"} 30',
    'otelcol_receiver_refused_log_records_total{receiver="otlp"} 5',
  ];
  expect(acceptedRecords(text.join("\n"))).toBe(42);
});

test("the gate has the last core, and nothing is pinned where there is only one or no taskset", () => {
  expect(planCores("/nowhere", 4)).toEqual({ gate: [], rest: [], pinned: false });
  const path = process.env["PATH"] ?? "";
  expect(planCores(path, 1).pinned).toBe(false);
  if (Bun.which("taskset", { PATH: path }) === null) return;
  expect(planCores(path, 2)).toMatchObject({ gate: ["taskset", "-c", "1"], rest: ["taskset", "-c", "0"] });
  expect(planCores(path, 8).rest).toEqual(["taskset", "-c", "0-6"]);
});
