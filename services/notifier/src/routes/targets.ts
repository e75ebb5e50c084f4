import { newTarget, secretRotation, targetChange } from "@vitrine/contracts/targets";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import type { Deps } from "../deps.ts";
import { findTarget } from "../store/targets.ts";
import { testMessage } from "../test-message.ts";
import { byId } from "./alerts.ts";

export function targetRoutes({ verifier, database, targets, send, events, dispatcher, now, newId }: Deps) {
  const param = validated("param", byId);
  return new Hono<AppEnv>()
    .use(requireScope(verifier, "alerts:admin"))
    .get("/", async (c) => c.json({ items: await targets.list() }))
    .post("/", validated("json", newTarget), async (c) => {
      const target = await targets.create(c.req.valid("json"));
      events.targetChanged("created", target.id, c.var.claims.sub);
      return c.json(target, 201);
    })
    .get("/:id", param, async (c) => c.json(await targets.find(c.req.valid("param").id)))
    .patch("/:id", param, validated("json", targetChange), async (c) => {
      const target = await targets.change(c.req.valid("param").id, c.req.valid("json"));
      events.targetChanged("changed", target.id, c.var.claims.sub);
      dispatcher.wake();
      return c.json(target);
    })
    .put("/:id/secret", param, validated("json", secretRotation), async (c) => {
      const { secret, overlapHours } = c.req.valid("json");
      const target = await targets.rotateSecret(c.req.valid("param").id, secret, overlapHours);
      events.targetChanged("rotated", target.id, c.var.claims.sub);
      return c.json(target);
    })
    .post("/:id/test", param, async (c) => {
      const target = await findTarget(database, c.req.valid("param").id);
      if (target === undefined) throw new ServiceError("not_found", "there is no such target");
      const attempt = { attempts: 0, signal: c.req.raw.signal };
      const outcome = await send(testMessage(target, newId(), now()), target, attempt);
      events.targetChanged("tested", target.id, c.var.claims.sub);
      const failure = outcome.kind === "delivered" ? null : outcome.failure;
      return c.json({ delivered: failure === null, failure, status: outcome.status });
    })
    .delete("/:id", param, async (c) => {
      const { id } = c.req.valid("param");
      await targets.remove(id);
      events.targetChanged("removed", id, c.var.claims.sub);
      return c.body(null, 204);
    });
}
