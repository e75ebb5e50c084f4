import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { type Order, orderRequest } from "@vitrine/contracts/orders";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";
import { createPlacing, type PlaceOutcome } from "../placing.ts";
import type { StoredOrder } from "../store/orders.ts";

const orderId = z.uuid();
const retryAfterSeconds = 5;

export function orderRoutes(deps: Deps) {
  const { verifier, orders } = deps;
  const place = createPlacing(deps);
  return new Hono<AppEnv>()
    .post(
      "/",
      requireScope(verifier, "orders:write"),
      validated("header", idempotencyHeader),
      validated("json", orderRequest),
      async (c) => {
        const outcome = await place({
          ...c.req.valid("json"),
          customer: c.var.claims.sub,
          key: c.req.valid("header")["idempotency-key"],
          requestId: c.var.requestId,
        });
        const order = reservedOrder(outcome);
        return c.json(toReply(order), 201, { location: toPath(order) });
      },
    )
    .get("/", requireScope(verifier, "orders:read"), validated("query", pageQuery(orderId)), async (c) => {
      const { cursor, limit } = c.req.valid("query");
      const page = toPage(await orders.list(c.var.claims.sub, cursor, limit + 1), limit, (order) => order.id);
      return c.json({ ...page, items: page.items.map(toReply) });
    })
    .get("/:id", requireScope(verifier, "orders:read"), validated("param", z.object({ id: orderId })), async (c) => {
      const order = await orders.find(c.req.valid("param").id, c.var.claims.sub);
      if (order === undefined) throw new ServiceError("not_found", "you have no such order");
      return c.json(toReply(order));
    });
}

/** @throws ServiceError for every outcome but a reserved order; the failed order is named in `Location` */
function reservedOrder(outcome: PlaceOutcome): StoredOrder {
  if (outcome.kind === "conflict") throw new ServiceError("idempotency_conflict");
  if (outcome.kind === "unknown_piece") {
    const fields = [{ field: "pieceId", message: "the catalogue has no such piece" }];
    throw new ServiceError("not_found", "pieceId: the catalogue has no such piece", { fields });
  }
  const { order } = outcome;
  if (order.reason === null) return order;
  const headers = { location: toPath(order) };
  if (order.reason === "out_of_stock") throw new ServiceError("out_of_stock", undefined, { headers });
  throw new ServiceError("unavailable", undefined, { reason: order.reason, retryAfterSeconds, headers });
}

function toPath(order: StoredOrder): string {
  return `/api/orders/${order.id}`;
}

function toReply({ id, pieceId, quantity, unitAmount, currency, status, reason, createdAt }: StoredOrder): Order {
  const total = { amount: unitAmount * quantity, currency };
  return { id, pieceId, quantity, total, status, reason, createdAt: createdAt.toISOString() };
}
