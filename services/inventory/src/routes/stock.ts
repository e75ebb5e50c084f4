import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { restock } from "@vitrine/contracts/inventory";
import { maison, pieceId, pieceKind } from "@vitrine/contracts/piece";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

export const byPiece = z.strictObject({ pieceId });

export const stockQuery = pageQuery(pieceId).extend({
  maison: maison.optional(),
  kind: pieceKind.optional(),
  low: z.literal("true").optional().describe("Only pieces of which three or fewer are available."),
});

export const movementQuery = pageQuery(z.string().regex(/^[1-9]\d{0,17}$/));

export function stockRoutes({ verifier, stock, events }: Deps) {
  const mayRead = requireScope(verifier, "inventory:read");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", stockQuery), async (c) => {
      const { cursor, limit, maison, kind, low } = c.req.valid("query");
      const levels = await stock.list({ maison, kind, low: low !== undefined }, cursor, limit + 1);
      return c.json(toPage(levels, limit, (level) => level.pieceId));
    })
    .get("/:pieceId", mayRead, validated("param", byPiece), async (c) => {
      const level = await stock.find(c.req.valid("param").pieceId);
      if (level === undefined) throw new ServiceError("not_found", "nobody has stocked this piece");
      return c.json(level);
    })
    .get("/:pieceId/movements", mayRead, validated("param", byPiece), validated("query", movementQuery), async (c) => {
      const { cursor, limit } = c.req.valid("query");
      const moves = await stock.movements(c.req.valid("param").pieceId, cursor, limit + 1);
      return c.json(toPage(moves, limit, ({ id }) => id));
    })
    .post(
      "/:pieceId/restock",
      requireScope(verifier, "inventory:write"),
      validated("param", byPiece),
      validated("header", idempotencyHeader),
      validated("json", restock),
      async (c) => {
        const delivery = { ...c.req.valid("param"), ...c.req.valid("json") };
        const outcome = await stock.restock(delivery, c.var.claims.sub, c.req.valid("header")["idempotency-key"]);
        if (outcome.kind === "conflict") throw new ServiceError("idempotency_conflict");
        if (outcome.kind === "added") events.restocked(delivery);
        return c.json(outcome.level);
      },
    );
}
