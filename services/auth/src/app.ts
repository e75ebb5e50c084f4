import { type AppEnv, createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Hono } from "hono";
import { type PeopleRouteDeps, peopleRoutes } from "./routes/people.ts";
import { type TokenRouteDeps, tokenRoutes } from "./routes/token.ts";
import { type WellKnownDeps, wellKnownRoutes } from "./routes/well-known.ts";

export interface AppDeps extends PeopleRouteDeps, TokenRouteDeps, WellKnownDeps {
  readonly readiness: Readiness;
}

export function createApp(deps: AppDeps): Hono<AppEnv> {
  const { logger, readiness, newId } = deps;
  const app = createBaseApp({ service: "auth", logger, readiness, newId });
  app.route("/api/auth", peopleRoutes(deps));
  app.route("/oauth", tokenRoutes(deps));
  app.route("/.well-known", wellKnownRoutes(deps));
  return app;
}
