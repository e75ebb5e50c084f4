import { type AppEnv, createBaseApp } from "@vitrine/kit/http";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import { ServiceError } from "@vitrine/kit/errors";
import type { Hono } from "hono";
import type { Deps } from "./deps.ts";
import { notifierDocument } from "./openapi.ts";
import { alertmanagerRoutes } from "./routes/alertmanager.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { runbookRoutes } from "./routes/runbooks.ts";
import { targetRoutes } from "./routes/targets.ts";

export function createApp(deps: Deps): Hono<AppEnv> {
  // Alerts are taken while the start waits for a database: its being away is what they tell of.
  const readiness = { ...deps.readiness, isStarting: () => false };
  const app = createBaseApp({ service: "notifier", logger: deps.logger, readiness });
  app.route("/api/notifier/alertmanager", alertmanagerRoutes(deps));
  app.use(async (_, next) => {
    if (deps.readiness.isStarting())
      throw new ServiceError("unavailable", "the service is starting", { reason: "starting", retryAfterSeconds: 1 });
    await next();
  });
  app.route("/api/notifier", docsRoutes(notifierDocument(deps.publicUrl)));
  app.route("/api/notifier/alerts", alertRoutes(deps));
  app.route("/api/notifier/deliveries", deliveryRoutes(deps));
  app.route("/api/notifier/runbooks", runbookRoutes(deps));
  app.route("/api/notifier/targets", targetRoutes(deps));
  return app;
}
