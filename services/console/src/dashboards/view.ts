import { dashboards } from "@vitrine/dashboards/all";
import type { Dashboard, Panel, Variable } from "@vitrine/dashboards/model";
import type { Asking } from "@vitrine/dashboards/requests";
import { ServiceError } from "@vitrine/kit/errors";
import { z } from "zod";
import { type spans, spanOf, spanParameters } from "../logs/filter.ts";

/** Seconds between two looks, by the word people choose. */
export const refreshes = { off: 0, "5s": 5, "15s": 15, "1m": 60 } as const;

type Refresh = keyof typeof refreshes;

const maxChosen = 50;
const maxValueLength = 512;
const prefix = "var-";

const timing = z.object({
  ...spanParameters,
  refresh: z
    .enum(Object.keys(refreshes) as [Refresh, ...Refresh[]], "is one of off, 5s, 15s, 1m")
    .catch("15s")
    .default("15s"),
});

/** A dashboard as somebody looks at it: which span of time, and what its variables are set to. */
export interface View {
  readonly dashboard: Dashboard;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly last: keyof typeof spans | undefined;
  readonly refresh: Refresh;
  /** It ends now, and so moves on. */
  readonly moving: boolean;
  readonly asking: Asking;
}

/** About as many points as a panel of a third of the page has room for. */
const points = 240;

/** @throws ServiceError `not_found` for a dashboard there is not, `invalid_request` for a span that is none */
export function parseView(uid: string, queries: Readonly<Record<string, string[]>>, nowMs: number): View {
  const dashboard = dashboards.find((one) => one.uid === uid);
  if (dashboard === undefined) throw new ServiceError("not_found", "there is no such dashboard");
  const parsed = timing.safeParse(
    Object.fromEntries(["from", "to", "last", "refresh"].map((name) => [name, queries[name]?.[0]])),
  );
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message }));
    throw new ServiceError("invalid_request", fields.map(({ field, message }) => `${field}: ${message}`).join("; "), {
      fields,
    });
  }
  const { from, to, last, refresh } = parsed.data;
  const { range, moving } = spanOf({ from, to, last }, nowMs);
  const scope = Object.fromEntries(
    dashboard.variables.map((variable) => [variable.name, chosen(variable, queries[prefix + variable.name])]),
  );
  return { dashboard, from, to, last, refresh, moving, asking: { range, points, scope } };
}

function chosen(variable: Variable, given: readonly string[] = []): string | readonly string[] {
  const values = given.filter((value) => value !== "" && value.length <= maxValueLength).slice(0, maxChosen);
  return variable.kind === "label" ? values : (values[0] ?? variable.default);
}

/** What was chosen for a variable; none means all. */
export function valuesOf({ asking }: View, { name }: Variable): readonly string[] {
  const value = asking.scope[name] ?? [];
  return typeof value === "string" ? [value] : value;
}

/** The span of time as addresses have it. */
export function timeOf({ from, to, last }: View): readonly (readonly [string, string])[] {
  return Object.entries({ from, to, last }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

/** Address parameters that make the same view again. */
export function searchOf(view: View): string {
  const search = new URLSearchParams(timeOf(view).map(([name, value]) => [name, value]));
  if (view.refresh !== "15s") search.set("refresh", view.refresh);
  for (const variable of view.dashboard.variables)
    for (const value of valuesOf(view, variable)) search.append(prefix + variable.name, value);
  return search.toString();
}

export function fieldOf({ name }: Variable): string {
  return prefix + name;
}

export function panelsOf({ rows }: Dashboard): readonly Panel[] {
  return rows.flatMap(({ panels }) => panels);
}
