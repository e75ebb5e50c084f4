import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { type Context, Hono } from "hono";
import type { Deps } from "../deps.ts";
import { toHtml } from "../live/fragments.ts";
import { createPageContext, type PersonNames, type SignedInEnv } from "../page-context.ts";
import { happenedIn } from "./annotations.ts";
import { contentOf } from "./panel-content.tsx";
import { panelsOf, parseView } from "./view.ts";

/** What the page of a dashboard asks for: each panel as the HTML that stands in it, and what happened meanwhile. */
export function dashboardRoutes(deps: Deps, names: PersonNames) {
  const contextOf = createPageContext(deps, names);
  const mayRead = requireScope(deps.verifier, "telemetry:read");
  const viewOf = (c: Context<SignedInEnv>) => parseView(c.req.param("uid") ?? "", c.req.queries(), deps.now());
  return new Hono<AppEnv>()
    .get("/api/console/dashboards/:uid/panels/:at", mayRead, async (c: Context<SignedInEnv>) => {
      const view = viewOf(c);
      const panel = panelsOf(view.dashboard)[Number(c.req.param("at"))];
      if (panel === undefined) throw new ServiceError("not_found", "the dashboard has no such panel");
      const { ask } = await contextOf(c);
      return c.json({ html: await toHtml(await contentOf(ask, panel, view)) }, 200, { "cache-control": "no-store" });
    })
    .get("/api/console/dashboards/:uid/happened", mayRead, async (c: Context<SignedInEnv>) => {
      const view = viewOf(c);
      const { ask } = await contextOf(c);
      return c.json({ items: await happenedIn(ask, view) }, 200, { "cache-control": "no-store" });
    });
}
