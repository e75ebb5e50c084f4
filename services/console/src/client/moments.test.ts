import { expect, test } from "bun:test";
import { momentsOf } from "./moments.ts";

const seconds = (text: string): number => Date.parse(`${text}:00Z`) / 1_000;

test("an axis of times tells the clock, and the date where a day begins", () => {
  expect(momentsOf(["2026-11-21T14:05", "2026-11-21T14:10"].map(seconds))).toEqual(["14:05", "14:10"]);
  expect(
    momentsOf(["2026-11-20T12:00", "2026-11-21T00:00", "2026-11-21T12:00", "2026-11-22T00:00"].map(seconds)),
  ).toEqual(["12:00", "11-21", "12:00", "11-22"]);
  expect(momentsOf(["2026-11-21T00:00", "2026-11-22T00:00"].map(seconds))).toEqual(["11-21", "11-22"]);
});
