import { reservationRequest } from "@vitrine/contracts/inventory";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

export function reservationRoutes({ verifier, store, events }: Deps) {
  return new Hono<AppEnv>()
    .post("/", requireScope(verifier, "inventory:write"), validated("json", reservationRequest), async (c) => {
      const request = c.req.valid("json");
      const outcome = await store.reserve(request, c.var.claims.sub);
      switch (outcome.kind) {
        case "held":
          events.reserved(request);
          return c.json(outcome.reservation, 201);
        case "known":
          return c.json(outcome.reservation, 200);
        case "conflict":
          throw new ServiceError("idempotency_conflict", "the id belongs to another reservation");
        case "out_of_stock":
          events.refused(request);
          throw new ServiceError("out_of_stock");
      }
    })
    .delete(
      "/:id",
      requireScope(verifier, "inventory:write"),
      validated("param", z.object({ id: z.uuid() })),
      async (c) => {
        const { id } = c.req.valid("param");
        const freed = await store.release(id, c.var.claims.sub);
        if (freed !== undefined) events.released({ id, ...freed });
        return c.body(null, 204);
      },
    );
}
