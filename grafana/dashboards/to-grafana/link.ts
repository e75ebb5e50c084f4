import { DashboardLinkBuilder, DashboardLinkType } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dashboard, Link, Panel } from "../model.ts";
import { jaegerTarget } from "./query.ts";

export interface LinkContext {
  readonly from: Dashboard;
  readonly all: readonly Dashboard[];
}

/** The name of the constant that holds the address of the console, which is another origin than Grafana. */
export const consoleVariable = "console";

/** A link on a value: it may name the labels of what was clicked. */
export function toDataLink(link: Link, panel: Panel, context: LinkContext) {
  return new DashboardLinkBuilder(link.title).url(toUrl(link, panel, context)).targetBlank(link.to === "page");
}

/** A link at the head of a panel, where there is no value whose labels could be named. */
export function toHeaderLink(link: Link, panel: Panel, context: LinkContext) {
  return toDataLink(link, panel, context).type(DashboardLinkType.Link);
}

export function namesLabels(link: Link): boolean {
  return JSON.stringify(link).includes("${label.");
}

function toUrl(link: Link, panel: Panel, context: LinkContext): string {
  switch (link.to) {
    case "dashboard": {
      const target = context.all.find(({ uid }) => uid === link.uid);
      const known = new Set(context.from.variables.map(({ name }) => name));
      const variables = (target?.variables ?? []).flatMap(({ name }) => {
        const value = link.variables?.[name];
        if (value !== undefined) return [`var-${name}=${withMacros(value, panel)}`];
        return known.has(name) ? [`\${${name}:queryparam}`] : [];
      });
      return [`/d/${link.uid}?\${__url_time_range}`, ...variables].join("&");
    }
    case "logs":
      // Several values are a regular expression in a query, and `{a,b}` in an address unless that is asked for.
      return exploreUrl("loki", {
        expr: withMacros(link.expr, panel).replaceAll(/=~"\$\{(\w+)\}"/g, '=~"${$1:regex}"'),
        queryType: "range",
      });
    case "traces":
      return exploreUrl(
        "jaeger",
        jaegerTarget(link.search, (text) => withMacros(text, panel)),
      );
    case "page":
      return `\${${consoleVariable}}${withMacros(link.path, panel)}`;
    default:
      return link satisfies never;
  }
}

/** `${label.x}` is a field of the row in a table, whose name is the column's title, and a label of the series elsewhere. */
function withMacros(text: string, panel: Panel): string {
  return text
    .replaceAll(/\$(\w+)/g, (_, name: string) => `\${${name}}`)
    .replaceAll(/\$\{label\.([\w.]+)\}/g, (_, label: string) => {
      if (panel.kind !== "table") return `\${__field.labels.${label}}`;
      const title = panel.labels.find(({ name }) => name === label)?.title ?? label;
      return `\${__data.fields["${title}"]}`;
    });
}

function exploreUrl(datasource: string, query: Readonly<Record<string, unknown>>): string {
  const pane = {
    datasource,
    queries: [{ refId: "A", datasource: { type: datasource, uid: datasource }, ...query }],
    range: { from: "${__from}", to: "${__to}" },
  };
  // What Grafana puts in must not be encoded before.
  const encoded = JSON.stringify({ a: pane })
    .split(/(\$\{[^}]+\})/)
    .map((part) => (part.startsWith("${") ? part.replaceAll(String.raw`\"`, '"') : encodeURIComponent(part)));
  return `/explore?schemaVersion=1&orgId=1&panes=${encoded.join("")}`;
}
