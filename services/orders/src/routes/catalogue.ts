import { pieceInput } from "@vitrine/contracts/orders";
import { maison, pieceId, pieceKinds } from "@vitrine/contracts/piece";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

const byId = z.object({ id: pieceId });
const listQuery = pageQuery(pieceId).extend({ maison: maison.optional(), kind: z.enum(pieceKinds).optional() });

export function catalogueRoutes({ verifier, catalogue, events }: Deps) {
  return new Hono<AppEnv>()
    .get("/", requireScope(verifier, "orders:read"), validated("query", listQuery), async (c) => {
      const { cursor, limit, ...filter } = c.req.valid("query");
      return c.json(toPage(await catalogue.list(filter, cursor, limit + 1), limit, (piece) => piece.id));
    })
    .get("/:id", requireScope(verifier, "orders:read"), validated("param", byId), async (c) => {
      const piece = await catalogue.find(c.req.valid("param").id);
      if (piece === undefined) throw new ServiceError("not_found", "the catalogue has no such piece");
      return c.json(piece);
    })
    .put(
      "/:id",
      requireScope(verifier, "catalog:write"),
      validated("param", byId),
      validated("json", pieceInput),
      async (c) => {
        const piece = { ...c.req.valid("param"), ...c.req.valid("json") };
        const change = await catalogue.put(piece);
        if (change !== "unchanged") events.catalogueChanged(piece);
        return c.json(piece, change === "created" ? 201 : 200);
      },
    );
}
