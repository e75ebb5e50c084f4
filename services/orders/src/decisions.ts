import { ServiceError } from "@vitrine/kit/errors";
import type { Refusal } from "./events.ts";
import type { Reply } from "./idempotent.ts";
import { steps } from "./order-state.ts";
import type { PlacingDeps } from "./placing.ts";
import { toOrderReply } from "./routes/order-reply.ts";
import type { StoredOrder } from "./store/orders.ts";

/** What a customer does with a reserved order. Repeated, either answers with the order as it is. */
export interface Decisions {
  /** @throws ServiceError `not_found`, `insufficient_funds`, `order_state`, `reservation_over` */
  pay(id: string, customer: string, requestId: string): Promise<Reply>;
  /** @throws ServiceError `not_found`, `order_state` */
  cancel(id: string, customer: string, requestId: string): Promise<Reply>;
}

export function createDecisions({ orders, trades, fulfilment, events, releaseSoon }: PlacingDeps): Decisions {
  async function findOwn(id: string, customer: string): Promise<StoredOrder> {
    const order = await orders.find(id);
    if (order === undefined || order.customer !== customer)
      throw new ServiceError("not_found", "you have no such order");
    return order;
  }

  function refuse(step: Refusal["step"], reason: Refusal["reason"], order: StoredOrder, error: ServiceError): never {
    events.refused({ step, reason, orderId: order.id, pieceId: order.pieceId });
    throw error;
  }

  return {
    pay: async (id, customer, requestId) => {
      const order = await findOwn(id, customer);
      const paid = order.kind === "buy" ? await trades.pay(id, requestId) : undefined;
      if (paid === "too_little") return refuse("pay", "insufficient_funds", order, tooLittle(order));
      if (paid !== undefined) events.step(paid);
      const current = paid ?? (await findOwn(id, customer));
      if (current.status === "paid") return endReply(await fulfilment.complete(current, requestId));
      if (current.status === "fulfilled") return { status: 200, body: toOrderReply(current) };
      return refuse("pay", "wrong_state", current, wrongState(current));
    },
    cancel: async (id, customer, requestId) => {
      await findOwn(id, customer);
      const cancelled = await orders.move(id, steps.cancelled, { requestId });
      if (cancelled === undefined) {
        const current = await findOwn(id, customer);
        if (current.status === "cancelled") return { status: 200, body: toOrderReply(current) };
        return refuse("cancel", "wrong_state", current, wrongState(current));
      }
      events.step(cancelled);
      releaseSoon();
      return { status: 200, body: toOrderReply(cancelled) };
    },
  };
}

/** A reserved order can be paid and cancelled, unless its time has passed and the sweep is about to end it. */
export function wrongState({ status }: StoredOrder): ServiceError {
  return new ServiceError("order_state", `the order is ${status === "reserved" ? "expired" : status}`);
}

function tooLittle({ unitAmount, quantity, currency }: StoredOrder): ServiceError {
  const total = { amount: unitAmount * quantity, currency };
  return new ServiceError("insufficient_funds", "deposit what `total` says", { extensions: { total } });
}

/** Paid, and either fulfilled, on its way, or paid back because the pieces were gone. */
function endReply(order: StoredOrder): Reply {
  if (order.status === "failed")
    throw new ServiceError("reservation_over", "the pieces were no longer held; the money is back in the wallet");
  return { status: 200, body: toOrderReply(order) };
}
