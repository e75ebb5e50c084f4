import { describe, expect, test } from "bun:test";
import { quietHours } from "@vitrine/contracts/targets";
import { quietUntil } from "./quiet-hours.ts";

const everyDay = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

function until(at: string, timeZone: string, ...windows: readonly unknown[]): string {
  const quiet = quietHours.parse({ timeZone, tiers: ["warning"], windows });
  return new Date(quietUntil(quiet, Date.parse(at))).toISOString().replace(":00.000Z", "Z");
}

const night = { days: everyDay, from: "22:00", to: "07:00" };

describe("the quiet time ends", () => {
  test.each([
    ["before it begins", "2026-11-21T20:59Z", "2026-11-21T20:59Z"],
    ["at its first minute", "2026-11-21T21:00Z", "2026-11-22T06:00Z"],
    ["after midnight", "2026-11-22T02:30Z", "2026-11-22T06:00Z"],
    ["at its last second", "2026-11-22T05:59Z", "2026-11-22T06:00Z"],
    ["when it is over", "2026-11-22T06:00Z", "2026-11-22T06:00Z"],
  ])("in the morning of the place: %s", (_, at, end) => {
    expect(until(at, "Europe/Berlin", night)).toBe(end);
  });

  test.each([
    ["put forward", "2026-03-28T21:30Z", "2026-03-29T05:00Z"],
    ["put back", "2026-10-24T20:30Z", "2026-10-25T06:00Z"],
  ])("at seven on the clock in the night in which it is %s", (_, at, end) => {
    expect(until(at, "Europe/Berlin", night)).toBe(end);
  });

  test("at the hour that does not exist, moved on as clocks are", () => {
    expect(until("2026-03-29T00:30Z", "Europe/Berlin", { days: ["sunday"], from: "01:00", to: "02:30" })).toBe(
      "2026-03-29T01:30Z",
    );
  });

  test("with the last of windows that follow upon each other: Friday night to Monday morning", () => {
    const weekend = { days: ["saturday", "sunday"], from: "00:00", to: "24:00" };
    expect(until("2026-11-20T23:00Z", "UTC", night, weekend)).toBe("2026-11-23T07:00Z");
    expect(until("2026-11-21T12:00Z", "UTC", weekend)).toBe("2026-11-23T00:00Z");
  });

  test("on the day it began, by the day it began on", () => {
    const fridays = { ...night, days: ["friday"] };
    expect(until("2026-11-21T03:00Z", "UTC", fridays)).toBe("2026-11-21T07:00Z");
    expect(until("2026-11-22T03:00Z", "UTC", fridays)).toBe("2026-11-22T03:00Z");
  });

  test("after a week even if it never should", () => {
    const always = { days: everyDay, from: "00:00", to: "24:00" };
    const end = Date.parse(until("2026-11-21T12:00Z", "UTC", always));
    expect(end - Date.parse("2026-11-21T12:00Z")).toBeLessThan(9 * 86_400_000);
  });
});

test("a time zone or time of day that does not exist is refused", () => {
  const valid = { timeZone: "Asia/Tokyo", tiers: ["info"], windows: [night] };
  expect(quietHours.safeParse(valid).success).toBe(true);
  for (const wrong of [
    { ...valid, timeZone: "Europe/Atlantis" },
    { ...valid, windows: [{ ...night, from: "24:00" }] },
    { ...valid, windows: [{ ...night, to: "7:00" }] },
    { ...valid, windows: [] },
    { ...valid, tiers: ["page"] },
  ])
    expect(quietHours.safeParse(wrong).success).toBe(false);
});
