import { describe, expect, test } from "bun:test";
import { LatencyHistogram } from "./histogram.ts";

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe("LatencyHistogram", () => {
  test("an empty histogram answers 0", () => {
    expect(new LatencyHistogram().quantileMicros(0.99)).toBe(0);
  });

  test("values below 64 µs are exact", () => {
    const histogram = histogramOf(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(histogram.quantileMicros(0.5)).toBe(25);
    expect(histogram.quantileMicros(1)).toBe(50);
  });

  test("every quantile is within 1/64 of the true value, over seven orders of magnitude", () => {
    for (let exact = 1; exact < 6e7; exact = Math.ceil(exact * 1.37)) {
      const quantile = histogramOf([exact, 6.5e7]).quantileMicros(0.5);
      expect(quantile).toBeGreaterThanOrEqual(exact);
      expect(quantile).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1);
    }
  });

  test("p50 and p99 of a known distribution", () => {
    const histogram = histogramOf([...Array.from({ length: 98 }, () => 1_000), 40_000, 50_000]);
    expect(histogram.quantileMicros(0.5)).toBeCloseTo(1_000, -2);
    expect(histogram.quantileMicros(0.99) / 40_000).toBeCloseTo(1, 1);
    expect(histogram.quantileMicros(1)).toBe(50_000);
    expect(histogram.total).toBe(100);
  });

  test("an answer slower than the last bucket is still counted, with its real maximum", () => {
    const histogram = histogramOf([5e8]);
    expect(histogram.total).toBe(1);
    expect(histogram.maxMicros).toBe(5e8);
  });

  test("quantiles never fall as the share grows", () => {
    let seed = 7;
    const values = Array.from({ length: 5_000 }, () => (seed = (seed * 48_271) % 2_147_483_647) % 300_000);
    const histogram = histogramOf(values);
    const quantiles = [0.01, 0.1, 0.5, 0.9, 0.99, 1].map((share) => histogram.quantileMicros(share));
    expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
  });
});
