import { type AppEnv, createBaseApp } from "@vitrine/kit/http";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { Hono } from "hono";
import type { Deps } from "./deps.ts";
import { notifierDocument } from "./openapi.ts";
import { alertmanagerRoutes } from "./routes/alertmanager.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { runbookRoutes } from "./routes/runbooks.ts";
import { targetRoutes } from "./routes/targets.ts";

const alertmanagerPath = "/api/notifier/alertmanager";

export function createApp(deps: Deps): Hono<AppEnv> {
  const { logger, readiness } = deps;
  // Alerts are taken while the start waits for a database: its being away is what they tell of.
  const app = createBaseApp({ service: "notifier", logger, readiness, startingPaths: [alertmanagerPath] });
  app.route("/api/notifier", docsRoutes(notifierDocument(deps.publicUrl)));
  app.route(alertmanagerPath, alertmanagerRoutes(deps));
  app.route("/api/notifier/alerts", alertRoutes(deps));
  app.route("/api/notifier/deliveries", deliveryRoutes(deps));
  app.route("/api/notifier/runbooks", runbookRoutes(deps));
  app.route("/api/notifier/targets", targetRoutes(deps));
  return app;
}
