import { customerId, movementRequest } from "@vitrine/contracts/customers";
import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { currency } from "@vitrine/contracts/money";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { customerOf } from "../access.ts";
import type { Deps } from "../deps.ts";
import type { Reply } from "../idempotent.ts";
import type { MoneyMove } from "../store/wallets.ts";
import { answer } from "./answer.ts";

export const ownerQuery = z.strictObject({
  customer: customerId.optional().describe("For operators: whose, if not their own."),
});

export const statementQuery = pageQuery(z.string().regex(/^[1-9]\d{0,17}$/)).extend({
  ...ownerQuery.shape,
  currency,
});

export function walletRoutes({ verifier, wallets, idempotent, events }: Deps) {
  const mayRead = requireScope(verifier, "orders:read");
  const mayWrite = requireScope(verifier, "orders:write");
  const keyed = validated("header", idempotencyHeader);
  const json = validated("json", movementRequest);

  async function move(request: MoneyMove): Promise<Reply> {
    const outcome = await wallets.move(request);
    if (outcome === "too_little") {
      events.moved(request, "insufficient_funds");
      throw new ServiceError("insufficient_funds");
    }
    if (!outcome.repeated) events.moved(request, "done");
    return { status: 201, body: outcome.line };
  }

  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", ownerQuery), async (c) => {
      const customer = customerOf(c.var.claims, c.req.valid("query").customer);
      return c.json({ customer, balances: await wallets.balances(customer) });
    })
    .get("/holds", mayRead, validated("query", ownerQuery), async (c) => {
      const customer = customerOf(c.var.claims, c.req.valid("query").customer);
      return c.json({ items: await wallets.holds(customer) });
    })
    .get("/statement", mayRead, validated("query", statementQuery), async (c) => {
      const { customer, currency, cursor, limit } = c.req.valid("query");
      const owner = customerOf(c.var.claims, customer);
      return c.json(toPage(await wallets.statement(owner, currency, cursor, limit + 1), limit, ({ id }) => id));
    })
    .post("/deposits", mayWrite, keyed, json, async (c) => {
      const body = c.req.valid("json");
      const owner = c.var.claims.sub;
      const key = c.req.valid("header")["idempotency-key"];
      const request = { customer: owner, key, method: "POST", path: "/api/wallet/deposits", body };
      const { requestId } = c.var;
      return answer(
        await idempotent(request, ({ id }) => move({ ...body, id, movement: "deposit", owner, requestId })),
      );
    })
    .post("/withdrawals", mayWrite, keyed, json, async (c) => {
      const body = c.req.valid("json");
      const owner = c.var.claims.sub;
      const key = c.req.valid("header")["idempotency-key"];
      const request = { customer: owner, key, method: "POST", path: "/api/wallet/withdrawals", body };
      const { requestId } = c.var;
      return answer(
        await idempotent(request, ({ id }) => move({ ...body, id, movement: "withdrawal", owner, requestId })),
      );
    });
}
