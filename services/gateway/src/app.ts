import type { AccessClaims } from "@vitrine/contracts/auth";
import { currentRequest } from "@vitrine/kit/context";
import { ServiceError } from "@vitrine/kit/errors";
import { type AppEnv, createBaseApp, toServiceError } from "@vitrine/kit/http";
import { nameRoute } from "@vitrine/kit/http/observe";
import type { Context, Hono } from "hono";
import { authenticate, authorise, type Credentials, findRoute } from "./admit.ts";
import { answer } from "./answer.ts";
import { declaredBytes } from "./body.ts";
import { loginLocation } from "./browser/return-path.ts";
import { addressKey } from "./client-address.ts";
import type { GatewayDeps } from "./deps.ts";
import { secured } from "./headers.ts";
import { freePassage, type Passage } from "./limits/limits.ts";
import { answerRefusal, refusalReason } from "./refuse.ts";
import { createMatcher } from "./routes/match.ts";
import { rateClasses } from "./routes/rate-class.ts";
import type { Route } from "./routes/route.ts";
import { parseTarget } from "./target.ts";

/** What is known of a request so far, for the refusal it may end in. */
interface Admission {
  route?: Route;
  pattern?: string;
  claims?: AccessClaims;
  passage?: Passage;
}

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
    const startedAt = performance.now();
    const admission: Admission = {};
    const response = await respond(c, admission);
    deps.events.answered({
      route: admission.pattern,
      claims: admission.claims,
      status: response.status,
      seconds: (performance.now() - startedAt) / 1_000,
    });
    return response;
  });
  return app;

  async function respond(c: Context<AppEnv>, admission: Admission): Promise<Response> {
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
      const credentials = await admit(c, route, admission, deps);
      const passage = await enter(c, route, credentials?.claims, deps);
      admission.passage = passage;
      return await answer({ c, route, target, credentials, passage, address: () => addressOf(c, deps) }, deps);
    } catch (error) {
      admission.passage?.leave();
      c.error = error instanceof Error ? error : new Error("something that is no error was thrown");
      return refuse(c, error, admission, deps);
    }
  }
}

function sampleOf(route: Route | undefined): Admission {
  return route === undefined ? {} : { route, pattern: route.path };
}

function addressOf(c: Context<AppEnv>, { clientAddress }: GatewayDeps): string | undefined {
  return clientAddress({
    address: c.env?.server?.requestIP(c.req.raw)?.address,
    forwardedFor: c.req.header("x-forwarded-for"),
  });
}

async function admit(
  c: Context<AppEnv>,
  route: Route,
  admission: Admission,
  deps: GatewayDeps,
): Promise<Credentials | undefined> {
  if (route.access === "public") return undefined;
  const credentials = await authenticate(c.req.raw, route, deps, () => addressOf(c, deps));
  const { claims } = credentials;
  admission.claims = claims;
  c.set("claims", claims);
  const request = currentRequest();
  if (request !== undefined) request.user = claims.sub;
  authorise(claims, route.access);
  return credentials;
}

/** Counts the request against the quotas of whoever holds them. */
async function enter(
  c: Context<AppEnv>,
  route: Route,
  claims: AccessClaims | undefined,
  deps: GatewayDeps,
): Promise<Passage> {
  if (route.rate === "none") return freePassage;
  const per = rateClasses[route.rate].per;
  const holder =
    claims === undefined || per === "address"
      ? addressKey(addressOf(c, deps))
      : per === "client"
        ? claims.client_id
        : claims.sub;
  const declared = route.body === "none" ? 0 : declaredBytes(c.req.raw);
  // A body that is too large is refused before it is read: it uses nothing up.
  const counts = route.body !== "none" && declared <= route.body.encodedBytes;
  return await deps.limits.enter(route.rate, holder, counts ? declared : 0);
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
  if (route?.page !== undefined && error.status === 401 && c.req.method === "GET") {
    const { pathname, search } = new URL(c.req.raw.url);
    return secured(c.redirect(loginLocation(route.page.login, pathname + search), 303), route);
  }
  const response = answerRefusal(c, error, route?.errors ?? deps.defaultErrors);
  return secured(response, route);
}
