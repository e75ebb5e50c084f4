import { faultRoutes, injectFaults } from "@vitrine/kit/faults/http";
import { createBaseApp } from "@vitrine/kit/http";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { Deps } from "./deps.ts";
import { inventoryDocument } from "./openapi.ts";
import { reservationRoutes } from "./routes/reservations.ts";
import { stockRoutes } from "./routes/stock.ts";

export function createApp(deps: Deps) {
  const app = createBaseApp({ service: "inventory", logger: deps.logger, readiness: deps.readiness });
  if (deps.faults.enabled) app.use("/api/*", injectFaults(deps.faults));
  app.route("/api/inventory/faults", faultRoutes(deps.verifier, deps.faults));
  app.route("/api/inventory", docsRoutes(inventoryDocument(deps.issuer)));
  app.route("/api/inventory/reservations", reservationRoutes(deps));
  app.route("/api/inventory", stockRoutes(deps));
  return app;
}
