import { dashboards } from "@vitrine/dashboards/all";
import type { Dashboard, Link, Panel, Query, SeriesQuery } from "@vitrine/dashboards/model";

export interface PlacedPanel {
  readonly dashboard: Dashboard;
  readonly panel: Panel;
  /** For the name of a test. */
  readonly place: string;
}

export const placedPanels: readonly PlacedPanel[] = dashboards.flatMap((dashboard) =>
  dashboard.rows
    .flatMap(({ panels }) => panels)
    .map((panel) => ({ dashboard, panel, place: `${dashboard.uid} · ${panel.title}` })),
);

export interface PlacedText {
  readonly dashboard: Dashboard;
  readonly place: string;
  readonly expr: string;
}

function isSeries(query: Query): query is SeriesQuery {
  return query.datasource !== "jaeger";
}

const panelQueries = placedPanels.flatMap(({ dashboard, panel, place }) =>
  panel.queries.map((query: Query) => ({ dashboard, panel, place, query })),
);

const annotationQueries = dashboards.flatMap((dashboard) =>
  dashboard.annotations.map(({ title, query }) => ({ dashboard, place: `${dashboard.uid} · ${title}`, query })),
);

function textsOf(datasource: SeriesQuery["datasource"]): readonly PlacedText[] {
  return [...panelQueries, ...annotationQueries].flatMap(({ dashboard, place, query }) =>
    isSeries(query) && query.datasource === datasource ? [{ dashboard, place, expr: query.expr }] : [],
  );
}

/** Every PromQL expression, selectors of variables included. */
export const promql: readonly PlacedText[] = [
  ...textsOf("prometheus"),
  ...dashboards.flatMap((dashboard) =>
    dashboard.variables.flatMap((variable) =>
      variable.kind === "label"
        ? [{ dashboard, place: `${dashboard.uid} · ${variable.title}`, expr: variable.of }]
        : [],
    ),
  ),
];

export interface PlacedLink {
  readonly dashboard: Dashboard;
  readonly panel: Panel;
  readonly place: string;
  readonly link: Link;
}

export const links: readonly PlacedLink[] = placedPanels.flatMap(({ dashboard, panel, place }) =>
  panel.links.map((link) => ({ dashboard, panel, link, place: `${place} · ${link.title}` })),
);

/** Every LogQL expression: of panels, annotations, links and examples. */
export const logql: readonly PlacedText[] = [
  ...textsOf("loki"),
  ...links.flatMap(({ dashboard, place, link }) => (link.to === "logs" ? [{ dashboard, place, expr: link.expr }] : [])),
  ...dashboards.flatMap((dashboard) =>
    dashboard.variables.flatMap((variable) =>
      variable.kind === "text" && variable.example !== undefined
        ? [{ dashboard, place: `${dashboard.uid} · ${variable.title}`, expr: variable.example.expr }]
        : [],
    ),
  ),
];
