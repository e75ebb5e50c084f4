import { describe, expect, test } from "bun:test";
import { deliveriesOf, deliveryFaults, Expected } from "./deliveries.ts";

const perQuery = { serverSpans: 1, sqlSpans: 2, accessLogs: 1, requestDurations: 1 };

describe("what a variant owes the sink", () => {
  test("grows with every request and route", () => {
    const expected = new Expected();
    expected.add("kit", perQuery, 10);
    expected.add("kit", { ...perQuery, sqlSpans: 0 }, 5);
    expect(expected.of("kit")).toEqual({ serverSpans: 15, sqlSpans: 20, accessLogs: 15, requestDurations: 15 });
    expect(expected.of("node")).toEqual({});
  });

  test("has arrived when every span and log is there, metrics aside", () => {
    const expected = new Expected();
    expected.add("kit", perQuery, 2);
    const arrived = { serverSpans: 2, sqlSpans: 4, accessLogs: 2, requestDurations: 0 };
    expect(expected.hasArrived("kit", arrived)).toBe(true);
    expect(expected.hasArrived("kit", { ...arrived, sqlSpans: 3 })).toBe(false);
  });

  test("missing and surplus are faults that say how many of what", () => {
    const owed = { serverSpans: 9, sqlSpans: 9, accessLogs: 9, requestDurations: 9 };
    const faults = deliveryFaults(deliveriesOf("kit", owed, { ...owed, sqlSpans: 7, accessLogs: 10 }));
    expect(faults).toEqual([
      "kit: 2 of 9 SQL spans did not arrive",
      "kit: 1 access log records more than the 9 requests account for",
    ]);
    expect(deliveryFaults(deliveriesOf("kit", owed, owed))).toEqual([]);
  });
});
