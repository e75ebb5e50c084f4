import { createBaseApp } from "@vitrine/kit/http";
import type { Deps } from "./deps.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { orderRoutes } from "./routes/orders.ts";

export function createApp(deps: Deps) {
  const app = createBaseApp({ service: "orders", logger: deps.logger, readiness: deps.readiness });
  app.route("/api/catalog", catalogueRoutes(deps));
  app.route("/api/orders", orderRoutes(deps));
  return app;
}
