import { describe, expect, test } from "bun:test";
import { createBuckets } from "./buckets.ts";

const rate = { perSecond: 10, burstSeconds: 2 };

describe("a bucket", () => {
  test("gives its burst at once, then its rate, and says how long to wait", () => {
    let now = 0;
    const buckets = createBuckets(10, () => now);
    const taken = () =>
      Array.from({ length: 40 }, () => buckets.take("a", 1, rate)).filter((wait) => wait === 0).length;
    expect(taken()).toBe(20);
    expect(buckets.take("a", 1, rate)).toBeCloseTo(0.1);
    now = 1_000;
    expect(taken()).toBe(10);
    now = 100_000;
    expect(taken()).toBe(20);
  });

  test("may be overdrawn by one request, and then stays shut until the debt is paid", () => {
    let now = 0;
    const buckets = createBuckets(10, () => now);
    expect(buckets.take("a", 1, rate)).toBe(0);
    buckets.charge("a", 49, rate);
    expect(buckets.take("a", 1, rate)).toBeCloseTo(3.1);
    now = 2_900;
    expect(buckets.take("a", 1, rate)).toBeGreaterThan(0);
    now = 3_100;
    expect(buckets.take("a", 1, rate)).toBe(0);
  });

  test("owes at most ten seconds, whatever one request has used", () => {
    let now = 0;
    const buckets = createBuckets(10, () => now);
    buckets.charge("a", 1e12, rate);
    now = 10_100;
    expect(buckets.take("a", 1, rate)).toBe(0);
  });

  test("takes back what was not used, and never holds more than its burst", () => {
    const buckets = createBuckets(10, () => 0);
    expect(buckets.take("a", 20, rate)).toBe(0);
    expect(buckets.take("a", 1, rate)).toBeGreaterThan(0);
    buckets.charge("a", -1_000, rate);
    expect(buckets.take("a", 20, rate)).toBe(0);
    expect(buckets.take("a", 1, rate)).toBeGreaterThan(0);
  });

  test("lets one in now and then at any rate that is not 0", () => {
    let now = 0;
    const buckets = createBuckets(10, () => now);
    const share = { perSecond: 0.1, burstSeconds: 2 };
    expect(buckets.take("a", 1, share)).toBe(0);
    expect(buckets.take("a", 1, share)).toBeCloseTo(10);
    now = 10_001;
    expect(buckets.take("a", 1, share)).toBe(0);
  });

  test("is without limit, and kept by nobody, at a rate of 0", () => {
    const buckets = createBuckets(10, () => 0);
    for (let at = 0; at < 1_000; at += 1) expect(buckets.take("a", 1e9, { perSecond: 0, burstSeconds: 2 })).toBe(0);
    expect(buckets.size()).toBe(0);
  });

  test("of one key is not touched by another, and of those too many the least recently used go", () => {
    const buckets = createBuckets(100, () => 0);
    for (let at = 0; at < 20; at += 1) buckets.take("busy", 1, rate);
    for (let key = 0; key < 10_000; key += 1) {
      expect(buckets.take(`key-${key}`, 1, rate)).toBe(0);
      expect(buckets.take("busy", 1, rate)).toBeGreaterThan(0);
    }
    expect(buckets.size()).toBe(100);
  });
});
