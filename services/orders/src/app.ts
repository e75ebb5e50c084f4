import { faultRoutes, injectFaults } from "@vitrine/kit/faults/http";
import { createBaseApp } from "@vitrine/kit/http";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { Deps } from "./deps.ts";
import { ordersDocument } from "./openapi.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { collectionRoutes } from "./routes/collection.ts";
import { customerRoutes } from "./routes/customers.ts";
import { orderRoutes } from "./routes/orders.ts";
import { walletRoutes } from "./routes/wallet.ts";

export function createApp(deps: Deps) {
  const app = createBaseApp({ service: "orders", logger: deps.logger, readiness: deps.readiness });
  if (deps.faults.enabled) app.use("/api/*", injectFaults(deps.faults));
  app.route("/api/orders/faults", faultRoutes(deps.verifier, deps.faults));
  app.route("/api/orders", docsRoutes(ordersDocument(deps.issuer)));
  app.route("/api/orders", orderRoutes(deps));
  app.route("/api/catalog", catalogueRoutes(deps));
  app.route("/api/customers", customerRoutes(deps));
  app.route("/api/wallet", walletRoutes(deps));
  app.route("/api/collection", collectionRoutes(deps));
  return app;
}
