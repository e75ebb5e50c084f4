import { createBaseApp, toServiceError } from "@vitrine/kit/http";
import { answerProblem } from "@vitrine/kit/http/problem";
import { unroutedError } from "@vitrine/kit/http/unrouted";
import { assetPrefix } from "./assets/build.ts";
import { dashboardRoutes } from "./dashboards/routes.tsx";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { Deps } from "./deps.ts";
import { answerErrorPage, wantsPage } from "./error-page.tsx";
import { tailRoutes } from "./logs/tail.tsx";
import { createPersonNames } from "./page-context.ts";
import { loginRoutes } from "./pages/login.tsx";
import { pages } from "./pages/pages.ts";
import { consoleDocument } from "./openapi.ts";
import { apiRoutes } from "./routes/api.ts";
import { silenceRoutes } from "./routes/silences.ts";
import { thresholdRoutes } from "./routes/thresholds.ts";
import { analysisRoutes } from "./routes/analysis.tsx";
import { assetRoutes } from "./routes/assets.ts";

export function createApp(deps: Deps) {
  const { logger, readiness, now } = deps;
  const names = createPersonNames(now);
  const app = createBaseApp({ service: "console", logger, readiness, quietPaths: [assetPrefix] });
  app.onError(async (thrown, c) => {
    const error = toServiceError(thrown);
    const problem = answerProblem(c, error, logger, thrown);
    return wantsPage(c) ? await answerErrorPage(c, deps, error) : problem;
  });
  app.notFound((c) => {
    const error = unroutedError(app, c);
    return wantsPage(c) ? answerErrorPage(c, deps, error) : answerProblem(c, error, logger);
  });
  app.route(assetPrefix, assetRoutes(deps.assets));
  app.route("/", loginRoutes(deps));
  app.route("/", tailRoutes(deps, names));
  app.route("/", analysisRoutes(deps, names));
  app.route("/", dashboardRoutes(deps, names));
  app.route("/api/console", docsRoutes(consoleDocument(deps.publicUrl)));
  app.route("/api/console", apiRoutes(deps, names));
  app.route("/api/console/silences", silenceRoutes(deps, names));
  app.route("/api/console/thresholds", thresholdRoutes(deps));
  for (const page of pages) app.route("/", page.routes(deps, names));
  return app;
}
