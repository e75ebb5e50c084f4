import { type Alert, alertQuery } from "@vitrine/contracts/alerts";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";
import { linksOf } from "../message/links.ts";
import { summaryOf } from "../message/view.ts";
import { findAlert, listAlerts, type StoredAlert } from "../store/alerts.ts";

export const alertListQuery = pageQuery(z.uuid()).extend(alertQuery);
export const byId = z.strictObject({ id: z.uuid() });

export function alertRoutes({ verifier, database, publicUrl }: Deps) {
  const mayRead = requireScope(verifier, "alerts:read", "alerts:admin");
  return new Hono<AppEnv>()
    .get("/", mayRead, validated("query", alertListQuery), async (c) => {
      const { cursor, limit, ...filter } = c.req.valid("query");
      const alerts = await listAlerts(database, filter, cursor, limit + 1);
      return c.json(
        toPage(
          alerts.map((alert) => toAlert(alert, publicUrl)),
          limit,
          ({ id }) => id,
        ),
      );
    })
    .get("/:id", mayRead, validated("param", byId), async (c) => {
      const alert = await findAlert(database, c.req.valid("param").id);
      if (alert === undefined) throw new ServiceError("not_found", "there is no such alert");
      return c.json(toAlert(alert, publicUrl));
    });
}

function toAlert(stored: StoredAlert, publicUrl: string): Alert {
  const { id, fingerprint, name, tier, status, labels, annotations } = stored;
  return {
    id,
    fingerprint,
    name,
    tier,
    status,
    summary: summaryOf(stored),
    description: annotations["description"] ?? "",
    labels: { ...labels },
    annotations: { ...annotations },
    startedAt: stored.startedAt.toISOString(),
    endedAt: stored.endedAt?.toISOString() ?? null,
    receivedAt: stored.receivedAt.toISOString(),
    lastReceivedAt: stored.lastReceivedAt.toISOString(),
    links: linksOf(publicUrl, stored),
  };
}
