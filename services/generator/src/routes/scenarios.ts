import {
  type ScenarioName,
  type ScenarioOverview,
  scenarioRequest,
  type SentReport,
} from "@vitrine/contracts/scenarios";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import type { Director } from "../director.ts";
import { scenarios } from "../scenarios.ts";

export interface ScenarioRouteDeps {
  readonly verifier: TokenVerifier;
  readonly director: Director;
  readonly report: () => SentReport;
}

export function scenarioRoutes({ verifier, director, report }: ScenarioRouteDeps) {
  const mayAdminister = requireScope(verifier, "faults:admin");
  const overview = (): ScenarioOverview => ({
    items: Object.entries(scenarios).map(([name, { description }]) => ({
      name: name as ScenarioName,
      description,
      ratePerSecond: director.rateOf(name as ScenarioName),
    })),
    current: director.current(),
  });
  return new Hono<AppEnv>()
    .get("/", mayAdminister, (c) => c.json(overview()))
    .get("/report", mayAdminister, (c) => c.json(report()))
    .put("/current", mayAdminister, validated("json", scenarioRequest), (c) =>
      c.json(director.play(c.req.valid("json"))),
    )
    .delete("/current", mayAdminister, (c) => {
      void director.stop();
      return c.body(null, 204);
    });
}
