import { createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { generatorDocument } from "./openapi.ts";
import { faultDeskRoutes } from "./routes/faults.ts";
import { scenarioRoutes } from "./routes/scenarios.ts";
import type { Simulation } from "./simulation.ts";

export interface Deps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  /** Public address of the API, as its description tells it. */
  readonly issuer: string;
  readonly simulation: Pick<Simulation, "desk" | "director" | "report">;
}

export function createApp({ logger, readiness, verifier, issuer, simulation }: Deps) {
  const app = createBaseApp({ service: "generator", logger, readiness });
  const { desk, director, report } = simulation;
  app.route("/api/faults", faultDeskRoutes(verifier, desk));
  app.route("/api/scenarios", docsRoutes(generatorDocument(issuer)));
  app.route("/api/scenarios", scenarioRoutes({ verifier, director, report }));
  return app;
}
