import type { AccessClaims } from "@vitrine/contracts/auth";
import { currentRequest } from "@vitrine/kit/context";
import { ServiceError } from "@vitrine/kit/errors";
import { answerMetrics, type AppEnv, createBaseApp, toServiceError } from "@vitrine/kit/http";
import { nameRoute } from "@vitrine/kit/http/observe";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Context, Hono } from "hono";
import { authenticate, authorise, findRoute } from "./admit.ts";
import type { GatewayEvents } from "./events.ts";
import { secure } from "./headers.ts";
import { ingestOtlp } from "./ingest.ts";
import { ingestLoki } from "./loki-push.ts";
import { forwardedPath, proxy } from "./proxy.ts";
import { answerRefusal, refusalReason } from "./refuse.ts";
import { createMatcher } from "./routes/match.ts";
import type { ErrorForm, Route, Upstream } from "./routes/route.ts";
import { parseTarget, type Target } from "./target.ts";

export type UpstreamUrls = Readonly<Record<Exclude<Upstream, "self">, string>>;

export interface GatewayDeps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  readonly events: GatewayEvents;
  /** Addresses without a trailing slash. */
  readonly upstreams: UpstreamUrls;
  readonly routes: readonly Route[];
  /** The form of refusals that no row speaks for. */
  readonly defaultErrors: ErrorForm;
  readonly newId?: () => string;
}

/** What is known of a request so far, for the refusal it may end in. */
interface Admission {
  route?: Route;
  pattern?: string;
  claims?: AccessClaims;
}

/** Seconds a connection may be silent on every listener; slower rows ask for more, request by request. */
const idleTimeoutSeconds = 30;

/** One listener of the gateway: everything it answers is a row of its table. */
export function createApp(deps: GatewayDeps): Hono<AppEnv> {
  const match = createMatcher(deps.routes);
  const app = createBaseApp({
    service: "gateway",
    logger: deps.logger,
    readiness: deps.readiness,
    quietPaths: deps.routes.filter(({ telemetry }) => telemetry === "quiet").map(({ path }) => path),
    metricsRoute: false,
    ...(deps.newId === undefined ? {} : { newId: deps.newId }),
  });
  // Reached only by what the base app refuses by itself: requests that come before the keys are loaded.
  app.onError((error, c) => refuse(c, error, { ...sampleOf(match(c.req.path)?.sample) }, deps));
  app.all("*", async (c) => {
    const admission: Admission = {};
    try {
      const target = parseTarget(c.req.raw.url, c.req.header("host"));
      if (target === undefined) {
        throw new ServiceError("invalid_request", "the request target is not in canonical form", {
          reason: "bad_path",
        });
      }
      const entry = match(target.path);
      if (entry !== undefined) {
        nameRoute(c, entry.pattern);
        Object.assign(admission, sampleOf(entry.sample));
      }
      const route = findRoute(entry, c.req.method);
      admission.route = route;
      const claims = await admit(c, route, admission, deps);
      return await answer(c, route, target, claims, deps);
    } catch (error) {
      c.error = error instanceof Error ? error : new Error("something that is no error was thrown");
      return refuse(c, error, admission, deps);
    }
  });
  return app;
}

function sampleOf(route: Route | undefined): Admission {
  return route === undefined ? {} : { route, pattern: route.path };
}

async function admit(
  c: Context<AppEnv>,
  route: Route,
  admission: Admission,
  deps: GatewayDeps,
): Promise<AccessClaims | undefined> {
  if (route.access === "public") return undefined;
  const claims = await authenticate(c.req.header("authorization"), deps.verifier);
  admission.claims = claims;
  c.set("claims", claims);
  const request = currentRequest();
  if (request !== undefined) request.user = claims.sub;
  authorise(claims, route.access);
  return claims;
}

async function answer(
  c: Context<AppEnv>,
  route: Route,
  target: Target,
  claims: AccessClaims | undefined,
  deps: GatewayDeps,
): Promise<Response> {
  if (route.upstream === "self") return secured(await answerMetrics(c), route);
  const url = `${deps.upstreams[route.upstream]}${forwardedPath(route, target.path)}`;
  if (route.ingest !== undefined && route.body !== "none" && claims !== undefined) {
    const ingest = route.ingest.format === "otlp" ? ingestOtlp : ingestLoki;
    const { response, bytes } = await ingest({
      request: c.req.raw,
      claims,
      url,
      body: route.body,
      timeoutMs: route.timeoutMs,
    });
    if (response.ok) deps.events.accepted(claims.client_id, route.ingest.signal, bytes);
    else if (response.status >= 500) deps.events.upstreamFailed(route.upstream, route.path, response.status);
    return response;
  }
  const patienceSeconds = Math.ceil(route.timeoutMs / 1_000) + 5;
  if (patienceSeconds > idleTimeoutSeconds) c.env?.server?.timeout?.(c.req.raw, patienceSeconds);
  const response = await proxy(c.req.raw, route, `${url}${target.query}`);
  if (response.status >= 500) deps.events.upstreamFailed(route.upstream, route.path, response.status);
  return secured(response, route);
}

function secured(response: Response, route: Route | undefined): Response {
  secure(response.headers, route);
  return response;
}

/** nginx's code for a client that left: nobody reads it, the access log and the metrics do. */
const clientGone = 499;

function refuse(c: Context<AppEnv>, thrown: unknown, admission: Admission, deps: GatewayDeps): Response {
  if (c.req.raw.signal.aborted) return new Response(null, { status: clientGone });
  const error = toServiceError(thrown);
  const { route, pattern, claims } = admission;
  const reason = refusalReason(error);
  deps.events.refused({
    reason,
    status: error.status,
    route: pattern,
    clientId: claims?.client_id,
    upstream: route?.upstream,
    cause: error.cause ?? error,
  });
  return secured(answerRefusal(c, error, route?.errors ?? deps.defaultErrors), route);
}
