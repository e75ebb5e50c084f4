import { interpolate, type Scope } from "./interpolate.ts";
import type { JaegerQuery, SeriesQuery, Variable } from "./model.ts";

export interface TimeRange {
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Asking {
  readonly range: TimeRange;
  /** About so many points over the range. */
  readonly points: number;
  readonly scope: Scope;
}

/** The longest interval in which what a panel reads is scraped or pushed, in seconds. */
const scrapeSeconds = 10;
const maxLines = 100;
const maxTraces = 20;

/** Seconds between two points, as Grafana chooses them: never less than an interval of scraping. */
export function stepSeconds({ range, points }: Pick<Asking, "range" | "points">): number {
  return Math.max(scrapeSeconds, Math.ceil((range.toMs - range.fromMs) / 1_000 / points));
}

/** The variables and the spans of time that stand in queries: `$__rate_interval`, `$__range`, `$__range_s`, `$__auto`. */
export function scopeOf(asking: Asking, instant: boolean): Scope {
  const step = stepSeconds(asking);
  const seconds = Math.max(1, Math.round((asking.range.toMs - asking.range.fromMs) / 1_000));
  return {
    ...asking.scope,
    __rate_interval: `${Math.max(4 * scrapeSeconds, step + scrapeSeconds)}s`,
    __range: `${seconds}s`,
    __range_s: String(seconds),
    __auto: `${instant ? seconds : step}s`,
  };
}

/** Path and search of a query for values of now, below the gateway. */
export function instantPath({ datasource, expr }: SeriesQuery, asking: Asking): string {
  const search = new URLSearchParams({
    query: interpolate(expr, scopeOf(asking, true)),
    time: String(asking.range.toMs / 1_000),
  });
  return `${apiOf(datasource)}/query?${search}`;
}

/** Path and search of a query for series over the range, below the gateway. */
export function rangePath({ datasource, expr }: SeriesQuery, asking: Asking): string {
  const search = new URLSearchParams({ query: interpolate(expr, scopeOf(asking, false)), ...spanOf(asking) });
  search.set("step", String(stepSeconds(asking)));
  return `${apiOf(datasource)}/query_range?${search}`;
}

/** Path and search of a query for lines, the newest first. */
export function linesPath(expr: string, asking: Asking, limit: number = maxLines): string {
  const search = new URLSearchParams({ query: interpolate(expr, scopeOf(asking, false)), ...spanOf(asking) });
  search.set("limit", String(limit));
  search.set("direction", "backward");
  return `${apiOf("loki")}/query_range?${search}`;
}

/** Path and search of a query for traces, the newest first. */
export function tracesPath({ service, tags, minDuration }: JaegerQuery, { range, scope }: Asking): string {
  const search = new URLSearchParams({
    service: interpolate(service, scope),
    start: String(range.fromMs * 1_000),
    end: String(range.toMs * 1_000),
    limit: String(maxTraces),
  });
  const values = Object.entries(tags).map(([name, value]) => [name, interpolate(value, scope)] as const);
  if (values.length > 0) search.set("tags", JSON.stringify(Object.fromEntries(values)));
  if (minDuration !== undefined) search.set("minDuration", minDuration);
  return `/jaeger/api/traces?${search}`;
}

/** Path and search of the values a variable can take. */
export function valuesPath({ label, of }: Extract<Variable, { kind: "label" }>, asking: Asking): string {
  const search = new URLSearchParams({ "match[]": interpolate(of, scopeOf(asking, false)), ...spanOf(asking) });
  return `/prometheus/api/v1/label/${label}/values?${search}`;
}

/** Path and search of single requests behind a metric, each with its trace id. */
export function exemplarsPath(expr: string, asking: Asking): string {
  const search = new URLSearchParams({ query: interpolate(expr, scopeOf(asking, false)), ...spanOf(asking) });
  return `/prometheus/api/v1/query_exemplars?${search}`;
}

function apiOf(datasource: SeriesQuery["datasource"]): string {
  return datasource === "prometheus" ? "/prometheus/api/v1" : "/loki/api/v1";
}

/** Seconds with a fraction: both engines read them. */
function spanOf({ range }: Asking): { readonly start: string; readonly end: string } {
  return { start: String(range.fromMs / 1_000), end: String(range.toMs / 1_000) };
}
