import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { restock } from "@vitrine/contracts/inventory";
import { pieceId } from "@vitrine/contracts/piece";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

const byPiece = z.object({ pieceId });

export function stockRoutes({ verifier, store, events }: Deps) {
  return new Hono<AppEnv>()
    .get("/", requireScope(verifier, "inventory:read"), validated("query", pageQuery(pieceId)), async (c) => {
      const { cursor, limit } = c.req.valid("query");
      return c.json(toPage(await store.list(cursor, limit + 1), limit, (level) => level.pieceId));
    })
    .get("/:pieceId", requireScope(verifier, "inventory:read"), validated("param", byPiece), async (c) => {
      const level = await store.find(c.req.valid("param").pieceId);
      if (level === undefined) throw new ServiceError("not_found", "nobody has stocked this piece");
      return c.json(level);
    })
    .post(
      "/:pieceId/restock",
      requireScope(verifier, "inventory:write"),
      validated("param", byPiece),
      validated("header", idempotencyHeader),
      validated("json", restock),
      async (c) => {
        const request = { pieceId: c.req.valid("param").pieceId, quantity: c.req.valid("json").quantity };
        const outcome = await store.restock(request, c.var.claims.sub, c.req.valid("header")["idempotency-key"]);
        if (outcome.kind === "conflict") throw new ServiceError("idempotency_conflict");
        if (outcome.kind === "added") events.restocked(request);
        return c.json(outcome.level);
      },
    );
}
