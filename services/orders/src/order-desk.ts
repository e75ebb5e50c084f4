import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { seesAll } from "./access.ts";
import type { Refusal } from "./events.ts";
import { type Effect, type Idempotent, NoEffect, type RepeatableRequest, type Reply } from "./idempotent.ts";
import { createDecisions, type Decisions, wrongState } from "./decisions.ts";
import { isNoAnswer } from "./order-state.ts";
import { createPlacing, type PlaceRequest, type PlacingDeps } from "./placing.ts";
import { toOrderPath, toOrderReply } from "./routes/order-reply.ts";
import type { StoredOrder } from "./store/orders.ts";

/** What customers ask of orders, answered or refused with a `ServiceError`. */
export interface OrderDesk extends Decisions {
  /** @throws ServiceError `not_found`, also for the order of somebody else */
  find(id: string, claims: AccessClaims): Promise<StoredOrder>;
  /** @throws ServiceError `not_found`, `price_changed`, `out_of_stock`, `not_owned`, `wallet_full`, `unavailable` */
  place(request: PlaceRequest, effect: Effect): Promise<Reply>;
  /** Carries a request out once per key, and counts what the key refuses. */
  once(step: Refusal["step"], request: RepeatableRequest, work: (effect: Effect) => Promise<Reply>): Promise<Reply>;
}

const retryAfterSeconds = 5;

export function createOrderDesk(deps: PlacingDeps & { readonly idempotent: Idempotent }): OrderDesk {
  const { orders, events, idempotent } = deps;
  const place = createPlacing(deps);

  return {
    ...createDecisions(deps),
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
