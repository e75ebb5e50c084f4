import type { Panel } from "@vitrine/dashboards/model";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { type Context, Hono } from "hono";
import { answerPage } from "../answer-page.tsx";
import type { Page } from "../live/live-page.tsx";
import { createPageContext, type SignedInEnv } from "../page-context.ts";
import { Controls, offersOf } from "./controls.tsx";
import { staticPlacesOf } from "./links.ts";
import { panelsOf, parseView, refreshes, searchOf, type View } from "./view.ts";

/** The frame of a dashboard, of fixed size: what stands in it is asked for by client/dashboard.ts, panel by panel. */
export const dashboardPage: Page = {
  path: "/dashboards/:uid",
  scope: "telemetry:read",
  routes: (deps, names) => {
    const contextOf = createPageContext(deps, names);
    return new Hono<AppEnv>().get(
      "/dashboards/:uid",
      requireScope(deps.verifier, "telemetry:read"),
      async (c: Context<SignedInEnv>) => {
        const view = parseView(c.req.param("uid") ?? "", c.req.queries(), deps.now());
        const context = await contextOf(c);
        return await answerPage(c, context, {
          title: view.dashboard.title,
          lead: view.dashboard.description,
          aside: <AsideLinks view={view} grafanaUrl={deps.grafanaUrl} />,
          scripts: ["dashboard.js"],
          children: <Board view={view} offers={await offersOf(context.ask, view)} />,
        });
      },
    );
  },
};

function AsideLinks({ view, grafanaUrl }: { readonly view: View; readonly grafanaUrl: string | undefined }) {
  return (
    <>
      <a href="/dashboards">All dashboards</a>
      {grafanaUrl === undefined ? null : (
        <>
          {" "}
          <a href={`${grafanaUrl}/d/${view.dashboard.uid}`}>In Grafana</a>
        </>
      )}
    </>
  );
}

function Board({ view, offers }: Parameters<typeof Controls>[0]) {
  const { dashboard, refresh, moving } = view;
  const panels = panelsOf(dashboard);
  return (
    <div
      class="board"
      data-board={`/api/console/dashboards/${dashboard.uid}`}
      data-search={searchOf(view)}
      data-every={String(moving ? refreshes[refresh] : 0)}
    >
      <Controls view={view} offers={offers} />
      {dashboard.rows.map(({ title, panels: own }) => (
        <section class="board-row">
          <h2>{title}</h2>
          <div class="tiles">
            {own.map((panel) => (
              <Tile panel={panel} at={panels.indexOf(panel)} view={view} />
            ))}
          </div>
        </section>
      ))}
      <dialog id="point" aria-labelledby="point-title">
        <h2 id="point-title"></h2>
        <ul class="rows"></ul>
        <form method="dialog">
          <button>Close</button>
        </form>
      </dialog>
    </div>
  );
}

function Tile({ panel, at, view }: { readonly panel: Panel; readonly at: number; readonly view: View }) {
  const places = staticPlacesOf(panel.links, view);
  return (
    <section class={`panel tile w${panel.width} h${panel.height}`} data-panel={String(at)}>
      <header>
        <h3>{panel.title}</h3>
        <details class="about" id={`about-${at}`}>
          <summary aria-label={`About ${panel.title}`}>
            <span aria-hidden="true">⋯</span>
          </summary>
          <div class="note">
            <p>{panel.description}</p>
            {places.length === 0 ? null : (
              <ul>
                {places.map(({ title, href }) => (
                  <li>
                    <a href={href}>{title}</a>
                  </li>
                ))}
              </ul>
            )}
          </div>
        </details>
      </header>
      <div class="content" tabindex={0} role="group" aria-label={panel.title} aria-busy="true">
        <p class="waiting">…</p>
      </div>
    </section>
  );
}
