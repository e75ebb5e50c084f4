import { describe, expect, test } from "bun:test";
import { orderReasons, orderStatuses } from "@vitrine/contracts/orders";
import { isEnd, isNoAnswer, stepAfterReservation, statesBefore, steps } from "./order-state.ts";

describe("states of an order", () => {
  test("only these changes exist", () => {
    const changes = orderStatuses.flatMap((to) => statesBefore(to).map((from) => `${from} > ${to}`));
    expect(changes.toSorted()).toEqual([
      "paid > failed",
      "paid > fulfilled",
      "placed > failed",
      "placed > reserved",
      "reserved > cancelled",
      "reserved > expired",
      "reserved > paid",
    ]);
  });

  test("four of them are ends", () => {
    expect(orderStatuses.filter((status) => isEnd(status))).toEqual(["fulfilled", "failed", "cancelled", "expired"]);
  });

  test("an order ends with a reason exactly when it is not fulfilled, and every reason is one of a step", () => {
    for (const { to, reason } of Object.values(steps)) expect(reason === null).toBe(!isEnd(to) || to === "fulfilled");
    const reasons = new Set<string | null>(Object.values(steps).map(({ reason }) => reason));
    expect(orderReasons.filter((reason) => !reasons.has(reason))).toEqual([]);
  });

  test("whatever may have left a reservation behind gives it back, and frees the key where it was no answer", () => {
    expect(stepAfterReservation("held")).toEqual({ to: "reserved", reason: null, releaseDue: false });
    expect(stepAfterReservation("out_of_stock")).toEqual({ to: "failed", reason: "out_of_stock", releaseDue: false });
    expect(stepAfterReservation("unknown")).toEqual({
      to: "failed",
      reason: "inventory_unavailable",
      releaseDue: true,
    });
    expect(orderReasons.filter((reason) => isNoAnswer(reason))).toEqual(["inventory_unavailable", "interrupted"]);
  });
});
