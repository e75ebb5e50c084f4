import { expect, test } from "bun:test";
import { dayFactor, hourAfter } from "./day.ts";

const hours = Array.from({ length: 240 }, (_, tenth) => tenth / 10);

test("a day is neither busier nor quieter than a steady rate, never still, and busiest in the evening", () => {
  const factors = hours.map(dayFactor);
  expect(factors.reduce((sum, factor) => sum + factor, 0) / factors.length).toBeCloseTo(1, 6);
  expect(Math.min(...factors)).toBeGreaterThan(0.2);
  expect(hours[factors.indexOf(Math.max(...factors))]).toBeWithin(16, 22);
  expect(hours[factors.indexOf(Math.min(...factors))]).toBeWithin(1, 6);
});

test("a day can be sped up: it begins at nine and takes as many minutes as it is told", () => {
  expect(hourAfter(0, 60)).toBe(9);
  expect(hourAfter(30 * 60_000, 60)).toBe(21);
  expect(hourAfter(60 * 60_000, 60)).toBe(9);
  expect(hourAfter(60 * 60_000, 1_440)).toBe(10);
});
