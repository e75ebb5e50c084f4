import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { seesAll } from "./access.ts";
import type { Refusal } from "./events.ts";
import { type Effect, type Idempotent, NoEffect, type RepeatableRequest, type Reply } from "./idempotent.ts";
import { isNoAnswer, steps } from "./order-state.ts";
import { createPlacing, type PlaceRequest, type PlacingDeps } from "./placing.ts";
import { toOrderPath, toOrderReply } from "./routes/order-reply.ts";
import type { StoredOrder } from "./store/orders.ts";

/** What customers ask of orders, answered or refused with a `ServiceError`. */
export interface OrderDesk {
  /** @throws ServiceError `not_found`, also for the order of somebody else */
  find(id: string, claims: AccessClaims): Promise<StoredOrder>;
  /** @throws ServiceError `not_found`, `price_changed`, `out_of_stock`, `not_owned`, `unavailable` */
  place(request: PlaceRequest, effect: Effect): Promise<Reply>;
  /** Repeated it answers with the order as it is. @throws ServiceError `insufficient_funds`, `order_state` */
  pay(id: string, customer: string, requestId: string): Promise<Reply>;
  /** @throws ServiceError `order_state` */
  cancel(id: string, customer: string, requestId: string): Promise<Reply>;
  /** Carries a request out once per key, and counts what the key refuses. */
  once(step: Refusal["step"], request: RepeatableRequest, work: (effect: Effect) => Promise<Reply>): Promise<Reply>;
}

const retryAfterSeconds = 5;

export function createOrderDesk(deps: PlacingDeps & { readonly idempotent: Idempotent }): OrderDesk {
  const { orders, trades, fulfilment, events, idempotent } = deps;
  const place = createPlacing(deps);

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
    find: async (id, claims) => {
      const order = await orders.find(id);
      if (order === undefined || (order.customer !== claims.sub && !seesAll(claims)))
        throw new ServiceError("not_found", "you have no such order");
      return order;
    },
    place: async (request, effect) => {
      const { pieceId } = request;
      const outcome = await place(request, effect);
      if (outcome.kind === "order") return placedReply(outcome.order);
      events.refused({ step: "place", reason: outcome.kind, pieceId });
      if (outcome.kind === "price_changed")
        throw new ServiceError("price_changed", "order at the price in `price`", {
          extensions: { price: outcome.price },
        });
      const message = "the catalogue has no such piece";
      throw new ServiceError("not_found", `pieceId: ${message}`, { fields: [{ field: "pieceId", message }] });
    },
    pay: async (id, customer, requestId) => {
      const order = await findOwn(id, customer);
      const paid = order.kind === "buy" ? await trades.pay(id, requestId) : undefined;
      if (paid === "too_little") {
        const total = { amount: order.unitAmount * order.quantity, currency: order.currency };
        return refuse(
          "pay",
          "insufficient_funds",
          order,
          new ServiceError("insufficient_funds", "deposit what `total` says", { extensions: { total } }),
        );
      }
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
      deps.releaseSoon();
      return { status: 200, body: toOrderReply(cancelled) };
    },
    once: async (step, request, work) => {
      try {
        return await idempotent(request, work);
      } catch (error) {
        if (error instanceof ServiceError && error.code === "idempotency_conflict")
          events.refused({ step, reason: "key_conflict" });
        if (error instanceof ServiceError && error.code === "idempotency_in_flight")
          events.refused({ step, reason: "key_in_flight" });
        throw error;
      }
    },
  };
}

/** A reserved order can be paid and cancelled, unless its time has passed and the sweep is about to end it. */
function wrongState({ status }: StoredOrder): ServiceError {
  return new ServiceError("order_state", `the order is ${status === "reserved" ? "expired" : status}`);
}

/** @throws ServiceError for every outcome but an order that goes on; the failed order is named in `Location` */
function placedReply(order: StoredOrder): Reply {
  const location = toOrderPath(order);
  const headers = { location };
  const { reason } = order;
  if (order.status !== "failed") return { status: 201, body: toOrderReply(order), location };
  if (reason === "out_of_stock" || reason === "not_owned") throw new ServiceError(reason, undefined, { headers });
  if (!isNoAnswer(reason)) throw wrongState(order);
  throw new NoEffect("unavailable", undefined, { reason: reason ?? "failed", retryAfterSeconds, headers });
}

/** Paid, and either fulfilled, on its way, or paid back because the pieces were gone. */
function endReply(order: StoredOrder): Reply {
  if (order.status === "failed")
    throw new ServiceError("reservation_over", "the pieces were no longer held; the money is back in the wallet");
  return { status: 200, body: toOrderReply(order) };
}
