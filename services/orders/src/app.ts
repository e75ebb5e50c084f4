import { createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { PlacingDeps } from "./placing.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { orderRoutes } from "./routes/orders.ts";

export interface Deps extends PlacingDeps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
}

export function createApp(deps: Deps) {
  const app = createBaseApp({ service: "orders", logger: deps.logger, readiness: deps.readiness });
  app.route("/api/catalog", catalogueRoutes(deps));
  app.route("/api/orders", orderRoutes(deps));
  return app;
}
