import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { attributes as names, type MetricAttributes, metrics } from "@vitrine/contracts/telemetry";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { parseRequestId, type RequestScope, withRequestScope } from "../context.ts";
import type { Logger } from "../log.ts";
import { counter, histogram } from "../telemetry/instruments.ts";
import type { AppEnv } from "./env.ts";

export interface ObserveOptions {
  readonly logger: Logger;
  readonly newId?: () => string;
  readonly quietPaths?: readonly string[];
}

/** Set by a handler whose route is not one pattern of the router, such as a proxy's row. */
const routeNames = new WeakMap<Request, string>();

export function nameRoute(c: Context, route: string): void {
  routeNames.set(c.req.raw, route);
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const headerGetter = {
  get: (headers: Headers, name: string) => headers.get(name) ?? undefined,
  keys: (headers: Headers) => [...headers.keys()],
};

/**
 * One server span, one `http.server.request.duration` and one access line per request, under the route's template,
 * never the raw path. The request id comes from a valid `X-Request-Id` or is made here, and goes out on every answer.
 */
export function observeRequests(options: ObserveOptions): MiddlewareHandler<AppEnv> {
  const newId = options.newId ?? (() => Bun.randomUUIDv7());
  const quiet = options.quietPaths ?? [];
  const tracer = trace.getTracer("@vitrine/kit");
  const measured = requestMetrics();

  return async function observeRequest(c, next) {
    const startedAt = performance.now();
    const scope: RequestScope = {
      requestId: parseRequestId(c.req.header("x-request-id")) ?? newId(),
    };
    c.set("requestId", scope.requestId);
    const method = methods.has(c.req.method) ? c.req.method : "_OTHER";
    const silent = quiet.some((prefix) => c.req.path.startsWith(prefix));
    const parent = withRequestScope(propagation.extract(ROOT_CONTEXT, c.req.raw.headers, headerGetter), scope);
    const span = silent ? undefined : startSpan(c, tracer, parent, method, scope);
    const own = span === undefined ? suppressTracing(parent) : trace.setSpan(parent, span);
    measured.began();
    await context.with(own, async () => {
      let failed = true;
      try {
        await next();
        failed = false;
      } finally {
        const seconds = (performance.now() - startedAt) / 1_000;
        const route = routeOf(c);
        // What is thrown past every handler is answered by the server itself.
        const status = failed ? 500 : c.res.status;
        // `c.header` would make the answer anew, its body a stream of unknown length.
        if (!failed) c.res.headers.set("x-request-id", scope.requestId);
        measured.ended({ method, route, status, seconds });
        if (span !== undefined) {
          logAccess(c, options.logger, { route, status, seconds });
          endSpan(span, c, { method, route, status });
        }
      }
    });
  };
}

export interface EndedRequest extends Outcome {
  /** One of HTTP's own, or `_OTHER`. */
  readonly method: string;
  readonly seconds: number;
}

/** The metrics of every request, for a handler that answers before the base app is reached and must not be missed. */
export interface RequestMetrics {
  began(): void;
  ended(request: EndedRequest): void;
}

export function requestMetrics(): RequestMetrics {
  const duration = histogram(metrics.httpServerRequestDuration);
  const active = counter(metrics.httpServerActiveRequests);
  return {
    began: () => active.add(1),
    ended: ({ method, route, status, seconds }) => {
      active.add(-1);
      duration.record(seconds, durationAttributes(method, route, status));
    },
  };
}

type DurationAttributes = MetricAttributes<typeof metrics.httpServerRequestDuration>;

/** One object per route, method and status, of which there are few. Bounded all the same. */
const knownDurations = new Map<string | undefined, Map<string, Map<number, DurationAttributes>>>();
const maxKnown = 2_000;
let known = 0;

function durationAttributes(method: string, route: string | undefined, status: number): DurationAttributes {
  const attributes = knownDurations.get(route)?.get(method)?.get(status);
  return attributes ?? makeDurationAttributes(method, route, status);
}

function makeDurationAttributes(method: string, route: string | undefined, status: number): DurationAttributes {
  const attributes = Object.freeze({
    "http.request.method": method as "GET",
    ...(route === undefined ? {} : { "http.route": route }),
    "http.response.status_code": status,
    ...(status >= 500 ? { "error.type": String(status) } : {}),
  });
  if ((known += 1) > maxKnown) return attributes;
  const byMethod = knownDurations.get(route) ?? new Map<string, Map<number, DurationAttributes>>();
  const byStatus = byMethod.get(method) ?? new Map<number, DurationAttributes>();
  knownDurations.set(route, byMethod.set(method, byStatus.set(status, attributes)));
  return attributes;
}

const serverKind = { kind: SpanKind.SERVER } as const;

function startSpan(
  c: Context<AppEnv>,
  tracer: ReturnType<typeof trace.getTracer>,
  parent: ReturnType<typeof context.active>,
  method: string,
  scope: RequestScope,
): Span {
  // Set one by one: those a span is started with are copied and checked twice, for samplers that look at them.
  return tracer
    .startSpan(method, serverKind, parent)
    .setAttribute("http.request.method", method)
    .setAttribute("url.path", c.req.path)
    .setAttribute("url.scheme", c.req.url.startsWith("https:") ? "https" : "http")
    .setAttribute(names.requestId, scope.requestId);
}

interface Outcome {
  readonly route: string | undefined;
  readonly status: number;
}

function endSpan(
  span: Span,
  c: Context<AppEnv>,
  { method, route, status }: Outcome & { readonly method: string },
): void {
  if (route !== undefined) {
    span.updateName(`${method} ${route}`);
    span.setAttribute("http.route", route);
  }
  span.setAttribute("http.response.status_code", status);
  const user = c.get("claims")?.sub;
  if (user !== undefined) span.setAttribute("user.id", user);
  if (status >= 500) {
    span.setAttribute("error.type", String(status));
    if (c.error !== undefined) span.recordException(c.error);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** The template the router matched; `undefined` for a path nothing answers, so that strangers cannot make names. */
function routeOf(c: Context): string | undefined {
  const named = routeNames.get(c.req.raw);
  if (named !== undefined) return named;
  const matched = matchedRoutes(c).map(({ path }) => path);
  // Middleware of a neighbour mounted later matches too; where middleware itself answered, the handler it kept from it
  // is meant.
  const answered = matched[c.req.routeIndex] ?? "";
  const path = answered.endsWith("*") ? (matched.findLast((one) => !one.endsWith("*")) ?? answered) : answered;
  return path === "*" || path === "/*" || path === "" ? undefined : path;
}

function logAccess(
  c: Context<AppEnv>,
  logger: Logger,
  { route, status, seconds }: Outcome & { readonly seconds: number },
): void {
  const claims = c.get("claims");
  const address = c.env?.server?.requestIP(c.req.raw)?.address;
  const fields = {
    action: "http.request",
    duration_ms: Math.round(seconds * 1e6) / 1e3,
    extra: {
      method: c.req.method,
      route: route ?? null,
      path: c.req.path,
      status,
      ...(claims === undefined ? {} : { client_id: claims.client_id, token_id: claims.jti }),
      ...(address === undefined ? {} : { client_address: maskedAddress(address) }),
    },
  } as const;
  const message = `${c.req.method} ${route ?? c.req.path} ${status}`;
  if (status >= 500) logger.error(fields, message);
  else logger.info(fields, message);
}

/** Connections live long: the address is mostly one of a few seen just before. */
const masked = new Map<string, string>();
const maxMasked = 1_000;

function maskedAddress(address: string): string {
  const known = masked.get(address);
  if (known !== undefined) return known;
  if (masked.size >= maxMasked) masked.clear();
  const mask = maskAddress(address);
  masked.set(address, mask);
  return mask;
}

/** Keeps the network and hides the host: /24 of IPv4, /48 of IPv6. */
export function maskAddress(address: string): string {
  const mapped = address.startsWith("::ffff:") ? address.slice(7) : address;
  if (mapped.includes(".")) return mapped.replace(/\.\d+$/, ".0");
  // `::` stands for as many zero groups as eight groups lack.
  const [head = "", tail] = mapped.split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const network = [...groups, ...Array<string>(Math.max(zeros, 0)).fill("0"), ...after].slice(0, 3);
  while (network.at(-1) === "0") network.pop();
  return `${network.join(":")}::`;
}
