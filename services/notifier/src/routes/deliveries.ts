import { type Delivery, deliveryQuery, replayRequest } from "@vitrine/contracts/alerts";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";
import { discard, findDelivery, listDeliveries, replay, type StoredDelivery } from "../store/deliveries.ts";
import { byId } from "./alerts.ts";

export const deliveryListQuery = pageQuery(z.uuid()).extend(deliveryQuery);

export function deliveryRoutes({ verifier, database, dispatcher, events, now }: Deps) {
  const mayRead = requireScope(verifier, "alerts:read", "alerts:admin");
  const mayChange = requireScope(verifier, "alerts:admin");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", deliveryListQuery), async (c) => {
      const { cursor, limit, ...filter } = c.req.valid("query");
      const deliveries = await listDeliveries(database, filter, cursor, limit + 1);
      return c.json(toPage(deliveries.map(toDelivery), limit, ({ id }) => id));
    })
    .get("/:id", mayRead, validated("param", byId), async (c) => {
      const delivery = await findDelivery(database, c.req.valid("param").id);
      if (delivery === undefined) throw new ServiceError("not_found", "there is no such message");
      return c.json(toDelivery(delivery));
    })
    .post("/replay", mayChange, validated("json", replayRequest), async (c) => {
      const replayed = await replay(database, { targetId: c.req.valid("json").target }, now());
      if (replayed > 0) events.replayed(replayed, c.var.claims.sub);
      dispatcher.wake();
      return c.json({ replayed });
    })
    .post("/:id/replay", mayChange, validated("param", byId), async (c) => {
      const { id } = c.req.valid("param");
      if ((await replay(database, { id }, now())) === 0)
        throw new ServiceError("not_found", "there is no such dead letter");
      events.replayed(1, c.var.claims.sub);
      dispatcher.wake();
      return c.json({ replayed: 1 });
    })
    .delete("/:id", mayChange, validated("param", byId), async (c) => {
      if (!(await discard(database, c.req.valid("param").id)))
        throw new ServiceError("not_found", "there is no such dead letter");
      events.discarded(c.var.claims.sub);
      return c.body(null, 204);
    });
}

function toDelivery(stored: StoredDelivery): Delivery {
  const { id, state, tier, attempts, failure, failureStatus } = stored;
  return {
    id,
    target: { id: stored.targetId, name: stored.targetName, channel: stored.channel },
    state,
    tier,
    alerts: stored.changes.map(({ alertId, name, status, reminder }) => ({ alertId, name, status, reminder })),
    attempts,
    createdAt: stored.createdAt.toISOString(),
    dueAt: stored.dueAt.toISOString(),
    nextAttemptAt: state === "waiting" ? stored.nextAttemptAt.toISOString() : null,
    endedAt: stored.endedAt?.toISOString() ?? null,
    failure,
    failureStatus,
  };
}
