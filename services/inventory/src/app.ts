import { createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Events } from "./events.ts";
import { reservationRoutes } from "./routes/reservations.ts";
import { stockRoutes } from "./routes/stock.ts";
import type { StockStore } from "./store.ts";

export interface Deps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  readonly store: StockStore;
  readonly events: Events;
}

export function createApp(deps: Deps) {
  const app = createBaseApp({ service: "inventory", logger: deps.logger, readiness: deps.readiness });
  app.route("/api/inventory/reservations", reservationRoutes(deps));
  app.route("/api/inventory", stockRoutes(deps));
  return app;
}
