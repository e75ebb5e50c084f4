import { describe, expect, test } from "bun:test";
import { createRandom } from "./random.ts";

const draw = (seed: string, count: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe("random", () => {
  test("the same seed gives the same numbers, another seed others", () => {
    expect(draw("a", 100)).toEqual(draw("a", 100));
    expect(draw("a", 100)).not.toEqual(draw("b", 100));
  });

  test("numbers lie from 0 to below 1, evenly", () => {
    const numbers = draw("even", 20_000);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const share = numbers.filter((number) => Math.floor(number * 10) === tenth).length / numbers.length;
      expect(share).toBeCloseTo(0.1, 1);
    }
  });

  test("int includes both ends and nothing beyond", () => {
    const random = createRandom("int");
    expect(new Set(Array.from({ length: 500 }, () => random.int(2, 5)))).toEqual(new Set([2, 3, 4, 5]));
  });

  test("weighted choices come as often as they weigh, and never with weight 0", () => {
    const random = createRandom("weights");
    const choices = Array.from({ length: 10_000 }, () => random.weighted({ often: 9, seldom: 1, never: 0 }));
    expect(choices.filter((choice) => choice === "seldom").length / 10_000).toBeCloseTo(0.1, 1);
    expect(choices).not.toContain("never");
  });

  test("gaps of a Poisson process average to its rate and spread as they should", () => {
    const random = createRandom("gaps");
    const gaps = Array.from({ length: 20_000 }, () => random.gapMs(4));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeGreaterThan(240);
    expect(mean).toBeLessThan(260);
    expect(deviation / mean).toBeCloseTo(1, 1);
  });
});
