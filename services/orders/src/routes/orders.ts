import { customerId } from "@vitrine/contracts/customers";
import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { orderKinds, orderRequest, orderStatuses } from "@vitrine/contracts/orders";
import { maison, pieceKind } from "@vitrine/contracts/piece";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { customerOf } from "../access.ts";
import type { Deps } from "../deps.ts";
import { createOrderDesk } from "../order-desk.ts";
import { answer } from "./answer.ts";
import { toOrderReply } from "./order-reply.ts";

export const byId = z.strictObject({ id: z.uuid() });

/** Operators get their own orders unless they name somebody, or this. */
const everybody = "*";

export const orderQuery = pageQuery(z.uuid()).extend({
  customer: customerId.optional().describe("Operators: a customer, or `*` for all of them."),
  status: z.enum(orderStatuses).optional(),
  kind: z.enum(orderKinds).optional(),
  maison: maison.optional(),
  pieceKind: pieceKind.optional(),
  from: z.iso.datetime().optional().describe("Placed at or after this time."),
  to: z.iso.datetime().optional().describe("Placed before this time."),
});

export function orderRoutes(deps: Deps) {
  const { verifier, orders } = deps;
  const desk = createOrderDesk(deps);
  const mayRead = requireScope(verifier, "orders:read");
  const mayWrite = requireScope(verifier, "orders:write");
  const keyed = validated("header", idempotencyHeader);
  return new Hono<AppEnv>()
    .post("/", mayWrite, keyed, validated("json", orderRequest), async (c) => {
      const body = c.req.valid("json");
      const customer = c.var.claims.sub;
      const key = c.req.valid("header")["idempotency-key"];
      const request = { customer, key, method: "POST", path: "/api/orders", body };
      const { requestId } = c.var;
      const reply = await desk.once("place", request, (effect) => desk.place({ ...body, customer, requestId }, effect));
      return answer(reply);
    })
    .get("/", mayRead, validated("query", orderQuery), async (c) => {
      const { cursor, limit, customer, ...filter } = c.req.valid("query");
      const whose = customerOf(c.var.claims, customer);
      const asked = whose === everybody ? filter : { ...filter, customer: whose };
      const page = toPage(await orders.list(asked, cursor, limit + 1), limit, (order) => order.id);
      return c.json({ ...page, items: page.items.map(toOrderReply) });
    })
    .get("/:id", mayRead, validated("param", byId), async (c) =>
      c.json(toOrderReply(await desk.find(c.req.valid("param").id, c.var.claims))),
    )
    .get("/:id/events", mayRead, validated("param", byId), async (c) => {
      const { id } = await desk.find(c.req.valid("param").id, c.var.claims);
      return c.json({ items: await orders.events(id) });
    })
    .post("/:id/pay", mayWrite, validated("param", byId), keyed, async (c) => {
      const { id } = c.req.valid("param");
      const customer = c.var.claims.sub;
      const key = c.req.valid("header")["idempotency-key"];
      const request = { customer, key, method: "POST", path: `/api/orders/${id}/pay` };
      return answer(await desk.once("pay", request, () => desk.pay(id, customer, c.var.requestId)));
    })
    .post("/:id/cancel", mayWrite, validated("param", byId), keyed, async (c) => {
      const { id } = c.req.valid("param");
      const customer = c.var.claims.sub;
      const key = c.req.valid("header")["idempotency-key"];
      const request = { customer, key, method: "POST", path: `/api/orders/${id}/cancel` };
      return answer(await desk.once("cancel", request, () => desk.cancel(id, customer, c.var.requestId)));
    });
}
