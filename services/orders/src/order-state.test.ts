import { describe, expect, test } from "bun:test";
import { orderStatuses } from "@vitrine/contracts/orders";
import { interruption, settlementOf, statesBefore } from "./order-state.ts";

describe("order states", () => {
  test.each([
    ["placed", []],
    ["reserved", ["placed"]],
    ["failed", ["placed"]],
    ["cancelled", []],
  ] as const)("%s is reached from %p only", (status, before) => {
    expect(statesBefore(status)).toEqual([...before]);
  });

  test("no state is left out of the table", () => {
    const reached = orderStatuses.flatMap((status) => statesBefore(status));
    expect(reached.every((status) => orderStatuses.includes(status))).toBe(true);
  });

  test.each([
    ["held", { status: "reserved" }],
    ["out_of_stock", { status: "failed", reason: "out_of_stock", releaseDue: false, freesKey: false }],
    ["unknown", { status: "failed", reason: "inventory_unavailable", releaseDue: true, freesKey: true }],
  ] as const)("a reservation that ended as %s settles the order as %p", (outcome, settlement) => {
    expect(settlementOf(outcome)).toEqual(settlement);
  });

  test("an interrupted order fails and gives back what it may hold", () => {
    expect(interruption).toMatchObject({ status: "failed", releaseDue: true });
  });
});
