import { z } from "zod";
import { quoted } from "../engines/loki.ts";
import type { Range } from "../engines/prometheus.ts";

/** Spans of time people choose by one word, in milliseconds. */
export const spans = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
  "7d": 7 * 24 * 3_600_000,
} as const;

type SpanName = keyof typeof spans;

const spanNames = Object.keys(spans) as [SpanName, ...SpanName[]];

const moment = z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-21T07:00:00Z" });

/** An empty field of a form says nothing. */
export function unlessEmpty<S extends z.ZodType>(schema: S) {
  return z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
}

/** Characters of what a list can be narrowed by. */
export const maxFilterLength = 256;

const word = z.string().max(maxFilterLength);

/** Of a page about a span of time: `from` and `to`, or `last`. */
export const spanParameters = {
  from: unlessEmpty(moment),
  to: unlessEmpty(moment),
  last: unlessEmpty(z.enum(spanNames, `is one of ${spanNames.join(", ")}`)),
} as const;

export const requestParameters = z.object({
  ...spanParameters,
  service: unlessEmpty(word),
  of: unlessEmpty(z.enum(["all"])),
  route: unlessEmpty(word),
  status: unlessEmpty(z.string().regex(/^[1-5](?:xx|\d\d)$/, "must be a status such as 404, or a class such as 5xx")),
  user: unlessEmpty(word),
  slower: unlessEmpty(z.string().regex(/^\d{1,7}$/, "must be a number of milliseconds")),
  text: unlessEmpty(word),
});

export type RequestFilter = z.output<typeof requestParameters>;

export const levels = ["debug", "info", "warn", "error", "fatal"] as const;

export const logParameters = z.object({
  ...spanParameters,
  service: unlessEmpty(word),
  level: unlessEmpty(z.enum(levels, `is one of ${levels.join(", ")}`)),
  action: unlessEmpty(word),
  user: unlessEmpty(word),
  text: unlessEmpty(word),
});

export type LogFilter = z.output<typeof logParameters>;

export interface Span {
  readonly range: Range;
  /** It ends now, and so moves on. */
  readonly moving: boolean;
}

const usualSpan: SpanName = "1h";

interface ChosenSpan {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly last?: SpanName | undefined;
}

/**
 * Who chooses how long it was until now means that, whatever dates still stand in the form. Two dates that stand the
 * wrong way round are turned.
 */
export function spanOf({ from, to, last }: ChosenSpan, nowMs: number): Span {
  if (last !== undefined) return { range: { fromMs: nowMs - spans[last], toMs: nowMs }, moving: true };
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - spans[usualSpan] : Date.parse(from);
  return { range: { fromMs: Math.min(fromMs, toMs), toMs: Math.max(fromMs, toMs) }, moving: to === undefined };
}

/** What the console itself asks for, many times a minute: nobody who looks for a request looks for these. */
const ownQuestions = "/(prometheus|loki|jaeger|alertmanager|api/console)/.+|/metrics.*";

/** One line for each request, as whoever answered it wrote it. */
export function requestQuery({ service = "gateway", of, route, status, user, slower, text }: RequestFilter): string {
  return [
    `{service_name=${quoted(service)}}`,
    '| action="http.request"',
    ...(route === undefined && of === undefined ? [`| extra_route!~${quoted(ownQuestions)}`] : []),
    ...matches("extra_route", route),
    ...hasStatus(status),
    ...matches("user", user),
    ...(slower === undefined ? [] : [`| duration_ms > ${slower}`]),
    ...contains(text),
  ].join(" ");
}

/** From a level on, so that `warn` finds errors, too. */
export function logQuery({ service, level, action, user, text }: LogFilter): string {
  const from = level === undefined ? [] : levels.slice(levels.indexOf(level));
  return [
    service === undefined ? '{service_name=~".+"}' : `{service_name=${quoted(service)}}`,
    ...(from.length === 0 ? [] : [`| detected_level=~"${from.join("|")}"`]),
    ...matches("action", action),
    ...matches("user", user),
    ...contains(text),
  ].join(" ");
}

function matches(field: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`| ${field}=${quoted(value)}`];
}

function hasStatus(status: string | undefined): string[] {
  if (status === undefined) return [];
  return [status.endsWith("xx") ? `| extra_status=~"${status[0] ?? ""}.."` : `| extra_status=${quoted(status)}`];
}

/** Upper or lower case, and every other character as it is. */
function contains(text: string | undefined): string[] {
  if (text === undefined) return [];
  const literal = text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return [`|~ ${quoted(`(?i)${literal}`)}`];
}
