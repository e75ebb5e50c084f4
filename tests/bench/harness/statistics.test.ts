import { describe, expect, test } from "bun:test";
import { paired, spreadOf } from "./statistics.ts";

describe("spreadOf", () => {
  test.each([
    [[3], { median: 3, min: 3, max: 3 }],
    [[9, 1, 5], { median: 5, min: 1, max: 9 }],
    [[4, 1, 2, 10], { median: 3, min: 1, max: 10 }],
  ])("%p", (values, expected) => {
    expect(spreadOf(values)).toEqual(expected);
  });

  test("refuses an empty series instead of inventing a number", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe("paired", () => {
  test("divides within a round, so that a round slow for both changes nothing", () => {
    const ratio = paired([50, 5, 60], [100, 10, 100], (value, base) => value / base);
    expect(ratio).toEqual({ median: 0.5, min: 0.5, max: 0.6 });
  });

  test("refuses series of different lengths", () => {
    expect(() => paired([1], [1, 2], (value, base) => value - base)).toThrow(RangeError);
  });
});
