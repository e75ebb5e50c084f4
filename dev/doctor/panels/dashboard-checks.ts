import { interpolate, type Scope } from "@vitrine/dashboards/interpolate";
import {
  type Annotation,
  type Dashboard,
  isInstant,
  type Link,
  type Panel,
  type Query,
  type Variable,
} from "@vitrine/dashboards/model";
import {
  type Asking,
  exemplarsPath,
  instantPath,
  linesPath,
  rangePath,
  tracesPath,
  valuesPath,
} from "@vitrine/dashboards/requests";
import type { Check } from "./check.ts";

/** An example is so old that all batches with its lines and spans have arrived. */
const settleMs = 10_000;

/** The query of a variable: its values, or for a text the lines among which an example is found. */
export function variableCheck({ uid }: Dashboard, variable: Variable, asking: Asking): readonly Check[] {
  const base = { kind: "variable", where: uid, title: variable.title, quiet: false } as const;
  if (variable.kind === "label") return [{ ...base, path: valuesPath(variable, asking) }];
  const { fromMs, toMs } = asking.range;
  const settled = { ...asking, range: { fromMs, toMs: toMs - settleMs } };
  return variable.example === undefined ? [] : [{ ...base, path: linesPath(variable.example.expr, settled, 1) }];
}

export function annotationCheck({ uid }: Dashboard, { title, query, quiet }: Annotation, asking: Asking): Check {
  const path = query.datasource === "loki" ? linesPath(query.expr, asking) : rangePath(query, asking);
  return { kind: "annotation", where: uid, title, path, quiet: quiet === true };
}

export function panelChecks({ uid }: Dashboard, panel: Panel, asking: Asking): readonly Check[] {
  return panel.queries.map((query: Query) => ({
    kind: "panel",
    where: uid,
    title: titleOf(panel, query),
    path: queryPath(panel, query, asking),
    quiet: false,
  }));
}

export function exemplarChecks({ uid }: Dashboard, panel: Panel, asking: Asking): readonly Check[] {
  return panel.queries.flatMap((query: Query) =>
    query.datasource === "prometheus" && query.exemplars === true
      ? [
          {
            kind: "exemplars" as const,
            where: uid,
            title: titleOf(panel, query),
            path: exemplarsPath(query.expr, asking),
            quiet: false,
          },
        ]
      : [],
  );
}

/** Where a link leads, if that is a query: `labels` are those of a series of the panel. */
export function linkChecks({ uid }: Dashboard, panel: Panel, labels: Scope, asking: Asking): readonly Check[] {
  const named = Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label.${name}`, value]));
  const scope = { ...asking.scope, ...named };
  return panel.links.flatMap((link) => {
    const path = linkPath(link, { ...asking, scope });
    if (path === undefined) return [];
    return [
      { kind: "link" as const, where: uid, title: `${panel.title}: ${link.title}`, path, quiet: "quiet" in link },
    ];
  });
}

function linkPath(link: Link, asking: Asking): string | undefined {
  switch (link.to) {
    case "logs":
      return linesPath(interpolate(link.expr, asking.scope), asking, 1);
    case "traces":
      return tracesPath(link.search, asking);
    case "dashboard":
    case "page":
      return undefined;
    default:
      return link satisfies never;
  }
}

function queryPath(panel: Panel, query: Query, asking: Asking): string {
  if (query.datasource === "jaeger") return tracesPath(query, asking);
  if (panel.kind === "logs") return linesPath(query.expr, asking);
  return isInstant(panel) ? instantPath(query, asking) : rangePath(query, asking);
}

function titleOf(panel: Panel, query: Query): string {
  const legend = query.datasource === "jaeger" ? "" : query.legend;
  return panel.queries.length > 1 ? `${panel.title}: ${legend}` : panel.title;
}
