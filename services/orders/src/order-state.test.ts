import { describe, expect, test } from "bun:test";
import { orderReasons, orderStatuses } from "@vitrine/contracts/orders";
import { isEnd, isNoAnswer, stepAfterReservation, steps } from "./order-state.ts";

describe("states of an order", () => {
  test("only these changes exist", () => {
    const changes = Object.values(steps).map(({ from, to, reason }) => `${from} > ${to} ${reason ?? ""}`.trimEnd());
    expect(changes.toSorted()).toEqual([
      "paid > failed reservation_lost",
      "paid > fulfilled",
      "placed > failed interrupted",
      "placed > failed inventory_unavailable",
      "placed > failed not_owned",
      "placed > failed out_of_stock",
      "placed > reserved",
      "reserved > cancelled customer",
      "reserved > expired not_paid",
      "reserved > paid",
    ]);
  });

  test("its ends are the states no step leads on from", () => {
    const left = new Set<string>(Object.values(steps).map(({ from }) => from));
    expect(orderStatuses.filter((status) => isEnd(status) === left.has(status))).toEqual([]);
  });

  test("an order ends with a reason exactly when it is not fulfilled, and every reason is one of a step", () => {
    for (const { to, reason } of Object.values(steps)) expect(reason === null).toBe(!isEnd(to) || to === "fulfilled");
    const reasons = new Set<string | null>(Object.values(steps).map(({ reason }) => reason));
    expect(orderReasons.filter((reason) => !reasons.has(reason))).toEqual([]);
  });

  test("whatever may have left a reservation behind gives it back, and frees the key where it was no answer", () => {
    expect(stepAfterReservation("held")).toMatchObject({ to: "reserved", reason: null, releaseDue: false });
    expect(stepAfterReservation("out_of_stock")).toMatchObject({
      to: "failed",
      reason: "out_of_stock",
      releaseDue: false,
    });
    expect(stepAfterReservation("unknown")).toMatchObject({
      to: "failed",
      reason: "inventory_unavailable",
      releaseDue: true,
    });
    expect(orderReasons.filter((reason) => isNoAnswer(reason))).toEqual(["inventory_unavailable", "interrupted"]);
  });
});
