import type { orderFailureReasons, orderStatuses } from "@vitrine/contracts/orders";

export type OrderStatus = (typeof orderStatuses)[number];
export type FailureReason = (typeof orderFailureReasons)[number];

/** What became of a reservation; `unknown`: no usable answer came, so pieces may be held or not. */
export type ReservationOutcome = "held" | "out_of_stock" | "unknown";

export type Settlement =
  | { readonly status: "reserved" }
  | {
      readonly status: "failed";
      readonly reason: FailureReason;
      /** A reservation may exist and has to be given back. */
      readonly releaseDue: boolean;
      /** The order had no effect and was no answer either: its idempotency key may be used again. */
      readonly freesKey: boolean;
    };

const following: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ["reserved", "failed"],
  reserved: [],
  failed: [],
  cancelled: [],
};

/** The states an order may be in to become `status`. Every change of state is made under this condition. */
export function statesBefore(status: OrderStatus): readonly OrderStatus[] {
  return (Object.keys(following) as OrderStatus[]).filter((state) => following[state].includes(status));
}

export function settlementOf(outcome: ReservationOutcome): Settlement {
  switch (outcome) {
    case "held":
      return { status: "reserved" };
    case "out_of_stock":
      return { status: "failed", reason: "out_of_stock", releaseDue: false, freesKey: false };
    case "unknown":
      return { status: "failed", reason: "inventory_unavailable", releaseDue: true, freesKey: true };
  }
}

/** What becomes of an order whose placing ended without an answer, as when the service was killed. */
export const interruption = {
  status: "failed",
  reason: "interrupted",
  releaseDue: true,
  freesKey: true,
} as const satisfies Settlement;
