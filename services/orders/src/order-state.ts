import type { orderReasons, orderStatuses } from "@vitrine/contracts/orders";

export type OrderStatus = (typeof orderStatuses)[number];
export type OrderReason = (typeof orderReasons)[number];

export type EndStatus = "fulfilled" | "failed" | "cancelled" | "expired";

const ends: ReadonlySet<OrderStatus> = new Set<EndStatus>(["fulfilled", "failed", "cancelled", "expired"]);

export function isEnd(status: OrderStatus): status is EndStatus {
  return ends.has(status);
}

/** One change of state, with everything it changes in the order itself. */
export interface Step {
  /** The state it is taken from, and no other: what happened to a placed order must not end one that is paid by now. */
  readonly from: OrderStatus;
  readonly to: Exclude<OrderStatus, "placed">;
  readonly reason: OrderReason | null;
  /** A reservation may exist and has to be given back. */
  readonly releaseDue: boolean;
}

const step = (from: OrderStatus, to: Step["to"], reason: OrderReason | null = null, releaseDue = false): Step => ({
  from,
  to,
  reason,
  releaseDue,
});

/** Every step there is, by what happened. */
export const steps = {
  reserved: step("placed", "reserved"),
  outOfStock: step("placed", "failed", "out_of_stock"),
  notOwned: step("placed", "failed", "not_owned"),
  inventoryUnavailable: step("placed", "failed", "inventory_unavailable", true),
  /** Placing ended without an answer, as when the service was killed. */
  interrupted: step("placed", "failed", "interrupted", true),
  paid: step("reserved", "paid"),
  fulfilled: step("paid", "fulfilled"),
  reservationLost: step("paid", "failed", "reservation_lost"),
  cancelled: step("reserved", "cancelled", "customer", true),
  notPaid: step("reserved", "expired", "not_paid", true),
} as const satisfies Readonly<Record<string, Step>>;

/** What became of a reservation; `unknown`: no usable answer came, so pieces may be held or not. */
export type ReservationOutcome = "held" | "out_of_stock" | "unknown";

export function stepAfterReservation(outcome: ReservationOutcome): Step {
  switch (outcome) {
    case "held":
      return steps.reserved;
    case "out_of_stock":
      return steps.outOfStock;
    case "unknown":
      return steps.inventoryUnavailable;
  }
}

/** Whether an order that failed so was no answer: nothing came of it, and its idempotency key may be used again. */
export function isNoAnswer(reason: OrderReason | null): reason is "inventory_unavailable" | "interrupted" {
  return reason === "inventory_unavailable" || reason === "interrupted";
}
