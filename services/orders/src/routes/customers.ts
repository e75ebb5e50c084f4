import { customerId } from "@vitrine/contracts/customers";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { customerOf, seesAll } from "../access.ts";
import type { Deps } from "../deps.ts";

export const byCustomer = z.strictObject({ id: customerId });

export const customerQuery = pageQuery(customerId);

export function customerRoutes({ verifier, customers, wallets, collections }: Deps) {
  const mayRead = requireScope(verifier, "orders:read");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", customerQuery), async (c) => {
      const { cursor, limit } = c.req.valid("query");
      if (!seesAll(c.var.claims))
        throw new ServiceError("insufficient_scope", "only operators see all customers", { reason: "other_customer" });
      return c.json(toPage(await customers.list(cursor, limit + 1), limit, ({ id }) => id));
    })
    .get("/:id", mayRead, validated("param", byCustomer), async (c) => {
      const id = customerOf(c.var.claims, c.req.valid("param").id);
      const customer = await customers.find(id);
      if (customer === undefined) throw new ServiceError("not_found", "there is no such customer");
      const [balances, collection, openOrders] = await Promise.all([
        wallets.balances(id),
        collections.summary(id),
        customers.openOrders(id),
      ]);
      return c.json({ ...customer, balances, collection, openOrders });
    });
}
