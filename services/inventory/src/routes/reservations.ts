import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { reservationRequest, reservationStatuses } from "@vitrine/contracts/inventory";
import { pieceId } from "@vitrine/contracts/piece";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

export const byId = z.strictObject({ id: z.uuid() });

export const reservationQuery = pageQuery(z.uuid()).extend({
  status: z.enum(reservationStatuses).optional(),
  pieceId: pieceId.optional(),
});

export function reservationRoutes({ verifier, reservations, events }: Deps) {
  const mayRead = requireScope(verifier, "inventory:read");
  const mayWrite = requireScope(verifier, "inventory:write");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", reservationQuery), async (c) => {
      const { cursor, limit, ...filter } = c.req.valid("query");
      return c.json(toPage(await reservations.list(filter, cursor, limit + 1), limit, ({ id }) => id));
    })
    .get("/:id", mayRead, validated("param", byId), async (c) => {
      const found = await reservations.find(c.req.valid("param").id);
      if (found === undefined) throw new ServiceError("not_found", "nobody has reserved under this id");
      return c.json(found);
    })
    .post("/", mayWrite, validated("header", idempotencyHeader), validated("json", reservationRequest), async (c) => {
      const request = c.req.valid("json");
      const key = c.req.valid("header")["idempotency-key"];
      const outcome = await reservations.reserve(request, c.var.claims.sub, key);
      switch (outcome.kind) {
        case "held":
          events.reserved(request);
          return c.json(outcome.reservation, 201);
        case "known":
          return c.json(outcome.reservation, 200);
        case "conflict":
          throw new ServiceError("idempotency_conflict", "the id belongs to another reservation");
        case "key_conflict":
          throw new ServiceError("idempotency_conflict");
        case "out_of_stock":
          events.refused(request);
          throw new ServiceError("out_of_stock");
      }
    })
    .post("/:id/commit", mayWrite, validated("param", byId), async (c) => {
      const outcome = await reservations.commit(c.req.valid("param").id, c.var.claims.sub);
      switch (outcome.kind) {
        case "committed":
          events.committed(outcome.ended);
          return c.json(outcome.reservation);
        case "repeated":
          return c.json(outcome.reservation);
        case "unknown":
          throw new ServiceError("not_found", "nobody has reserved under this id");
        case "over":
          throw new ServiceError("reservation_over", "it was released, or expired: reserve anew");
      }
    })
    .delete("/:id", mayWrite, validated("param", byId), async (c) => {
      const outcome = await reservations.release(c.req.valid("param").id, c.var.claims.sub);
      if (outcome.kind === "committed") throw new ServiceError("reservation_over", "the pieces are sold");
      if (outcome.kind === "released") events.released(outcome.ended);
      return c.body(null, 204);
    });
}
