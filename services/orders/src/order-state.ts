import type { orderReasons, orderStatuses } from "@vitrine/contracts/orders";

export type OrderStatus = (typeof orderStatuses)[number];
export type OrderReason = (typeof orderReasons)[number];

/** The states an order may go on to; those without any are its end. */
const following: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ["reserved", "failed"],
  reserved: ["paid", "cancelled", "expired"],
  paid: ["fulfilled", "failed"],
  fulfilled: [],
  failed: [],
  cancelled: [],
  expired: [],
};

const all = Object.keys(following) as readonly OrderStatus[];

/** The states an order may be in to become `status`. Every change of state is made under this condition. */
export function statesBefore(status: OrderStatus): readonly OrderStatus[] {
  return all.filter((state) => following[state].includes(status));
}

export type EndStatus = "fulfilled" | "failed" | "cancelled" | "expired";

export function isEnd(status: OrderStatus): status is EndStatus {
  return following[status].length === 0;
}

/** One change of state, with everything it changes in the order itself. */
export interface Step {
  readonly to: Exclude<OrderStatus, "placed">;
  readonly reason: OrderReason | null;
  /** A reservation may exist and has to be given back. */
  readonly releaseDue: boolean;
}

const step = (to: Step["to"], reason: OrderReason | null = null, releaseDue = false): Step => ({
  to,
  reason,
  releaseDue,
});

/** Every step there is, by what happened. */
export const steps = {
  reserved: step("reserved"),
  outOfStock: step("failed", "out_of_stock"),
  notOwned: step("failed", "not_owned"),
  inventoryUnavailable: step("failed", "inventory_unavailable", true),
  /** Placing ended without an answer, as when the service was killed. */
  interrupted: step("failed", "interrupted", true),
  paid: step("paid"),
  fulfilled: step("fulfilled"),
  reservationLost: step("failed", "reservation_lost"),
  cancelled: step("cancelled", "customer", true),
  notPaid: step("expired", "not_paid", true),
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
