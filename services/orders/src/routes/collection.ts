import { pieceId } from "@vitrine/contracts/piece";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { customerOf } from "../access.ts";
import type { Deps } from "../deps.ts";
import { ownerQuery } from "./wallet.ts";

/** A piece and the currency it was bought in. */
const position = z.string().refine((value) => {
  const [id, currency, ...rest] = value.split(" ");
  return pieceId.safeParse(id).success && /^[A-Z]{3}$/.test(currency ?? "") && rest.length === 0;
});

export const collectionQuery = pageQuery(position).extend(ownerQuery.shape);

export function collectionRoutes({ verifier, collections }: Deps) {
  const mayRead = requireScope(verifier, "orders:read");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", collectionQuery), async (c) => {
      const { customer, cursor, limit } = c.req.valid("query");
      const owner = customerOf(c.var.claims, customer);
      const [id, currency] = cursor?.split(" ") ?? [];
      const after = id === undefined || currency === undefined ? undefined : { pieceId: id, currency };
      const items = await collections.list(owner, after, limit + 1);
      return c.json(toPage(items, limit, (item) => `${item.pieceId} ${item.cost.currency}`));
    })
    .get("/summary", mayRead, validated("query", ownerQuery), async (c) => {
      const customer = customerOf(c.var.claims, c.req.valid("query").customer);
      return c.json({ customer, ...(await collections.summary(customer)) });
    });
}
