import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { attributes as names, metrics } from "@vitrine/contracts/telemetry";
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { parseRequestId, type RequestScope, withRequestScope } from "../context.ts";
import type { Logger } from "../log.ts";
import { counter, histogram } from "../telemetry/instruments.ts";
import type { AppEnv } from "./app.ts";

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
  const duration = histogram(metrics.httpServerRequestDuration);
  const active = counter(metrics.httpServerActiveRequests);

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
    active.add(1);
    await context.with(own, async () => {
      await next();
      const seconds = (performance.now() - startedAt) / 1_000;
      const route = routeOf(c);
      c.header("x-request-id", scope.requestId);
      active.add(-1);
      duration.record(seconds, {
        "http.request.method": method as "GET",
        ...(route === undefined ? {} : { "http.route": route }),
        "http.response.status_code": c.res.status,
        ...(c.res.status >= 500 ? { "error.type": String(c.res.status) } : {}),
      });
      if (span !== undefined) {
        logAccess(c, options.logger, route, seconds);
        endSpan(span, method, route, c);
      }
    });
  };
}

function startSpan(
  c: Context<AppEnv>,
  tracer: ReturnType<typeof trace.getTracer>,
  parent: ReturnType<typeof context.active>,
  method: string,
  scope: RequestScope,
): Span {
  return tracer.startSpan(
    method,
    {
      kind: SpanKind.SERVER,
      attributes: {
        "http.request.method": method,
        "url.path": c.req.path,
        "url.scheme": c.req.url.startsWith("https:") ? "https" : "http",
        [names.requestId]: scope.requestId,
      },
    },
    parent,
  );
}

function endSpan(span: Span, method: string, route: string | undefined, c: Context<AppEnv>): void {
  if (route !== undefined) {
    span.updateName(`${method} ${route}`);
    span.setAttribute("http.route", route);
  }
  span.setAttribute("http.response.status_code", c.res.status);
  const user = c.get("claims")?.sub;
  if (user !== undefined) span.setAttribute("user.id", user);
  if (c.res.status >= 500) {
    span.setAttribute("error.type", String(c.res.status));
    if (c.error !== undefined) span.recordException(c.error);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** The template the router matched; `undefined` for a path nothing answers, so that strangers cannot make names. */
function routeOf(c: Context): string | undefined {
  const named = routeNames.get(c.req.raw);
  if (named !== undefined) return named;
  const path = routePath(c, -1);
  return path === "*" || path === "/*" || path === "" ? undefined : path;
}

function logAccess(c: Context<AppEnv>, logger: Logger, route: string | undefined, seconds: number): void {
  const { status } = c.res;
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
      ...(address === undefined ? {} : { client_address: maskAddress(address) }),
    },
  } as const;
  const message = `${c.req.method} ${route ?? c.req.path} ${status}`;
  if (status >= 500) logger.error(fields, message);
  else logger.info(fields, message);
}

/** Keeps the network and hides the host: /24 of IPv4, /48 of IPv6. */
export function maskAddress(address: string): string {
  const mapped = address.startsWith("::ffff:") ? address.slice(7) : address;
  if (mapped.includes(".")) return mapped.replace(/\.\d+$/, ".0");
  return `${mapped.split(":").slice(0, 3).join(":")}::`;
}
