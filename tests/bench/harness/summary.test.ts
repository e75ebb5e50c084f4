import { describe, expect, test } from "bun:test";
import type { Measurement } from "./measurement.ts";
import { summarise } from "./summary.ts";

function measured(variant: string, round: number, requestsPerSecond: number, cpuMicros?: number): Measurement {
  return {
    route: "hello",
    variant,
    round,
    requests: 1_000,
    requestsPerSecond,
    p50Ms: 1,
    p99Ms: requestsPerSecond / 100,
    usage: cpuMicros === undefined ? undefined : { cpuMicros, residentBytes: cpuMicros * 1_048_576 },
  };
}

const variants = [
  { name: "bare", baseline: "bare" },
  { name: "kit", baseline: "bare" },
];

describe("summarise", () => {
  test("divides by the baseline of the same round, in whatever order they were measured", () => {
    const [bare, kit] = summarise(variants, [
      measured("bare", 0, 1_000, 20),
      measured("kit", 0, 500, 60),
      measured("kit", 1, 50, 90),
      measured("bare", 1, 100, 40),
    ]);
    expect(bare?.throughputRatio).toEqual({ median: 1, min: 1, max: 1 });
    expect(kit?.throughputRatio).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
    expect(kit?.p99Ratio.median).toBe(0.5);
    expect(kit?.requestsPerSecond).toEqual({ median: 275, min: 50, max: 500 });
    expect(kit?.cpuAddedMicros).toEqual({ median: 45, min: 40, max: 50 });
    expect(kit?.residentAddedMiB).toEqual({ median: 45, min: 40, max: 50 });
  });

  test("says nothing of CPU and memory where one of the two is not known", () => {
    const [, kit] = summarise(variants, [measured("bare", 0, 10), measured("kit", 0, 5, 60)]);
    expect(kit).not.toHaveProperty("cpuAddedMicros");
    expect(kit?.throughputRatio.median).toBe(0.5);
  });

  test("refuses a variant that has no partner in a round", () => {
    expect(() => summarise(variants, [measured("bare", 0, 10), measured("kit", 0, 5), measured("kit", 1, 5)])).toThrow(
      RangeError,
    );
  });
});
