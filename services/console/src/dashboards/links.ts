import { dashboards } from "@vitrine/dashboards/all";
import { interpolate, type Scope } from "@vitrine/dashboards/interpolate";
import type { JaegerQuery, Link } from "@vitrine/dashboards/model";
import { fieldOf, timeOf, type View, valuesOf } from "./view.ts";

export type Labels = Readonly<Record<string, string>>;

/** Longer ones make addresses nobody takes. */
const maxLabelLength = 512;

/** Where something leads; `moment`: its span of time may be narrowed to that of a point. */
export interface Place {
  readonly title: string;
  readonly href: string;
  readonly moment: boolean;
}

/** Where the links of a panel lead from a series, a row or a line with these labels. Those that lack a label are left out. */
export function placesOf(links: readonly Link[], view: View, labels: Labels): readonly Place[] {
  return links.flatMap((link) => {
    const href = hrefOf(link, view, labels);
    return href === undefined ? [] : [{ title: link.title, href, moment: link.to !== "page" }];
  });
}

/** Links that lead somewhere without a row or a series being chosen. */
export function staticPlacesOf(links: readonly Link[], view: View): readonly Place[] {
  return placesOf(links, view, {});
}

function hrefOf(link: Link, view: View, labels: Labels): string | undefined {
  const fill = (text: string, change: (value: string) => string = same) => filled(text, view, labels, change);
  const time = timeOf(view);
  switch (link.to) {
    case "page": {
      const path = fill(link.path, encodeURIComponent);
      return path?.startsWith("/") === true ? path : undefined;
    }
    case "logs": {
      const expr = fill(link.expr, inQuotes);
      return expr === undefined ? undefined : logsHref(expr, time);
    }
    case "traces": {
      const service = fill(link.search.service);
      const tags = Object.entries(link.search.tags).map(([name, value]) => [name, fill(value)] as const);
      if (service === undefined || tags.some(([, value]) => value === undefined)) return undefined;
      return tracesHref(
        { ...link.search, service, tags: Object.fromEntries(tags) as Readonly<Record<string, string>> },
        time,
      );
    }
    case "dashboard":
      return dashboardHref(link, view, fill);
    default:
      return link satisfies never;
  }
}

type Time = readonly (readonly [string, string])[];

export function logsHref(expr: string, time: Time): string {
  return `/dashboards/logs?${new URLSearchParams([["expr", expr], ...time.map(([name, value]) => [name, value])])}`;
}

export function tracesHref({ service, tags, minDuration }: JaegerQuery, time: Time): string {
  const search = new URLSearchParams([["service", service], ...time.map(([name, value]) => [name, value])]);
  if (Object.keys(tags).length > 0) search.set("tags", JSON.stringify(tags));
  if (minDuration !== undefined) search.set("min", minDuration);
  return `/dashboards/traces?${search}`;
}

function dashboardHref(
  link: Extract<Link, { to: "dashboard" }>,
  view: View,
  fill: (text: string) => string | undefined,
): string | undefined {
  const target = dashboards.find(({ uid }) => uid === link.uid);
  if (target === undefined) return undefined;
  const search = new URLSearchParams(timeOf(view).map(([name, value]) => [name, value]));
  for (const variable of target.variables) {
    const set = link.variables?.[variable.name];
    const here = view.dashboard.variables.find(({ name }) => name === variable.name);
    if (set !== undefined) {
      const value = fill(set);
      if (value === undefined) return undefined;
      search.append(fieldOf(variable), value);
    } else if (here !== undefined) for (const value of valuesOf(view, here)) search.append(fieldOf(variable), value);
  }
  const text = search.toString();
  return `/dashboards/${target.uid}${text === "" ? "" : `?${text}`}`;
}

/** Nothing when a label is wanted that is not there. */
function filled(text: string, view: View, labels: Labels, change: (value: string) => string): string | undefined {
  const scope: Scope = {
    ...view.asking.scope,
    ...Object.fromEntries(
      Object.entries(labels)
        .filter(([, value]) => value.length <= maxLabelLength)
        .map(([name, value]) => [`label.${name}`, change(value)]),
    ),
  };
  const result = interpolate(text, scope);
  const needed = [...text.matchAll(/\$\{(label\.\w+)\}/g)].map(([, name = ""]) => name);
  return needed.every((name) => name in scope) ? result : undefined;
}

const same = (value: string): string => value;

/** What stands between quotes in LogQL stays one value, whatever is in it. */
const inQuotes = (value: string): string => JSON.stringify(value).slice(1, -1);
