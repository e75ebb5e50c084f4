import { parseRequestId, withoutSpan } from "@vitrine/kit/context";
import { type AppBindings, toServiceError } from "@vitrine/kit/http";
import { requestMetrics } from "@vitrine/kit/http/observe";
import { admit, enter, noteRefusal, recallClaims, type Visit } from "./admission.ts";
import { declaredBytes } from "./body.ts";
import type { GatewayDeps } from "./deps.ts";
import { secured } from "./headers.ts";
import { type IngestAnswer, ingestOtlp, type IngestRequest } from "./ingest.ts";
import { ingestLoki } from "./loki/push.ts";
import { forwardedPath } from "./proxy.ts";
import { answerMachine, clientGone } from "./refuse.ts";
import type { RouteMatcher } from "./routes/match.ts";
import type { Route } from "./routes/route.ts";
import { parseTarget } from "./target.ts";

/** Answers a request to write telemetry; `undefined` for any other, which is the base app's. */
export type IngestDoor = (request: Request, bindings: AppBindings) => Promise<Response> | undefined;

type IngestRoute = Route & Required<Pick<Route, "ingest">>;

/** Addresses of ingest rows as requests write them: a few names of this gateway, times the rows. */
const maxKnown = 256;

/**
 * The way of telemetry through the gateway: by the same table, checks, quotas, metrics and refusals as all else, without
 * what a router and a span cost, which a collector's worth of posts would pay tens of thousands of times a second.
 */
export function createIngestDoor(deps: GatewayDeps, match: RouteMatcher): IngestDoor {
  const measured = requestMetrics();
  const newId = deps.newId ?? (() => Bun.randomUUIDv7());
  const known = new Map<string, { readonly host: string | undefined; readonly route: IngestRoute }>();

  function find(request: Request): IngestRoute | undefined {
    const host = request.headers.get("host") ?? undefined;
    const seen = known.get(request.url);
    // Two `Host` headers are one address and one text with a comma.
    if (seen !== undefined && seen.host === host) return seen.route;
    const target = parseTarget(request.url, host);
    const route = target && match(target.path)?.byMethod.get(request.method);
    if (route === undefined || !isIngest(route)) return undefined;
    // Whoever asks writes host and query: only so many forms are kept.
    if (known.size < maxKnown && target?.query === "") known.set(request.url, { host, route });
    return route;
  }

  async function serve(visit: Visit, route: IngestRoute): Promise<Response> {
    const startedAt = performance.now();
    const { request } = visit;
    const requestId = parseRequestId(request.headers.get("x-request-id")) ?? newId();
    measured.began();
    let response: Response;
    try {
      if (recallClaims(visit, route, deps) === undefined) await admit(visit, route, deps);
      const entering = enter(visit, route, deps);
      visit.passage = entering instanceof Promise ? await entering : entering;
      const { ingest } = route;
      const taken = await (ingest.format === "otlp" ? ingestOtlp : ingestLoki)(toIngest(visit, route, requestId));
      visit.passage.leave();
      noteOutcome(taken, visit, route, deps);
      response = taken.response;
    } catch (error) {
      visit.passage?.leave();
      response = refuse(visit, route, error, requestId, deps);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const { status } = response;
    measured.ended({ method: "POST", route: route.path, status, seconds });
    deps.events.answered({ route: route.path, claims: visit.claims, status, seconds });
    return response;
  }

  function toIngest(
    { request, declared, claims, passage }: Visit,
    route: IngestRoute,
    requestId: string,
  ): IngestRequest {
    const { body, path, timeoutMs } = route;
    if (claims === undefined || passage === undefined || body === "none")
      throw new TypeError(`${path} takes telemetry without a token or a body`);
    const { collector, deadlines } = deps;
    return {
      request,
      declared,
      claims,
      collector,
      path: forwardedPath(route, path),
      rule: body,
      timeoutMs,
      passage,
      deadlines,
      requestId,
    };
  }

  return (request, { server, asWritten }) => {
    if (request.method !== "POST" || asWritten === false || deps.readiness.isStarting()) return undefined;
    const route = find(request);
    return route && serve({ request, server, declared: declaredBytes(request), route, pattern: route.path }, route);
  };
}

function isIngest(route: Route): route is IngestRoute {
  return route.ingest !== undefined;
}

function noteOutcome(
  { response, bytes }: IngestAnswer,
  { claims }: Visit,
  { ingest, upstream, path }: IngestRoute,
  deps: GatewayDeps,
): void {
  if (response.status < 500) deps.events.upstreamAnswered(upstream);
  if (response.ok && claims !== undefined) deps.events.accepted(claims.client_id, ingest.signal, bytes);
  else if (response.status >= 500) deps.events.upstreamFailed(upstream, path, response.status);
}

function refuse(visit: Visit, route: IngestRoute, thrown: unknown, requestId: string, deps: GatewayDeps): Response {
  const { sub } = visit.claims ?? {};
  const scope = sub === undefined ? { requestId } : { requestId, user: sub };
  const response = withoutSpan(scope, () => toRefusal(visit, route, thrown, deps));
  response.headers.set("x-request-id", requestId);
  return response;
}

function toRefusal(visit: Visit, route: IngestRoute, thrown: unknown, deps: GatewayDeps): Response {
  if (visit.request.signal.aborted) return clientGone();
  const error = toServiceError(thrown);
  noteRefusal(visit, error, deps);
  const form = route.errors === "loki" ? "loki" : "otlp";
  return secured(answerMachine(error, form, visit.request.headers.get("content-type") ?? undefined), route);
}
