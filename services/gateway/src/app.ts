import { currentRequest } from "@vitrine/kit/context";
import { ServiceError } from "@vitrine/kit/errors";
import { type AppEnv, createBaseApp, toServiceError } from "@vitrine/kit/http";
import { nameRoute } from "@vitrine/kit/http/observe";
import type { App } from "@vitrine/kit/lifecycle";
import type { Context } from "hono";
import { addressOf, admit, enter, noteRefusal, type Visit } from "./admission.ts";
import { findRoute } from "./admit.ts";
import { answer } from "./answer.ts";
import { declaredBytes } from "./body.ts";
import { loginLocation } from "./browser/return-path.ts";
import type { GatewayDeps } from "./deps.ts";
import { secured } from "./headers.ts";
import { createIngestDoor } from "./ingest-door.ts";
import { answerRefusal, clientGone } from "./refuse.ts";
import { createMatcher } from "./routes/match.ts";
import { parseTarget } from "./target.ts";

/** One listener of the gateway: everything it answers is a row of its table. Telemetry goes in by a door of its own. */
export function createApp(deps: GatewayDeps): App {
  const match = createMatcher(deps.routes);
  const app = createBaseApp({
    service: "gateway",
    logger: deps.logger,
    readiness: deps.readiness,
    quietPaths: deps.routes
      .filter(({ telemetry }) => telemetry === "quiet")
      .map(({ path }) => path.replace(/\*+$/, "")),
    metricsRoute: false,
    ...(deps.newId === undefined ? {} : { newId: deps.newId }),
  });
  // Reached only by what the base app refuses by itself: requests that come before the keys are loaded.
  app.onError((error, c) => {
    const visit = visitOf(c);
    nameRow(visit, match(c.req.path)?.sample);
    return refuse(c, error, visit, deps);
  });
  app.all("*", async (c) => {
    const startedAt = performance.now();
    const visit = visitOf(c);
    const response = await respond(c, visit);
    deps.events.answered({
      route: visit.pattern,
      claims: visit.claims,
      status: response.status,
      seconds: (performance.now() - startedAt) / 1_000,
    });
    return response;
  });
  const door = createIngestDoor(deps, match);
  return { fetch: (request, bindings) => door(request, bindings) ?? app.fetch(request, bindings) };

  async function respond(c: Context<AppEnv>, visit: Visit): Promise<Response> {
    try {
      const target = parseTarget(c.req.raw.url, c.req.header("host"));
      if (target === undefined || c.env?.asWritten === false) {
        throw new ServiceError("invalid_request", "the request target is not in canonical form", {
          reason: "bad_path",
        });
      }
      const entry = match(target.path);
      if (entry !== undefined) {
        nameRoute(c, entry.pattern);
        nameRow(visit, entry.sample);
      }
      const route = findRoute(entry, c.req.method);
      visit.route = route;
      const credentials = await admit(visit, route, deps);
      if (credentials !== undefined) {
        c.set("claims", credentials.claims);
        const request = currentRequest();
        if (request !== undefined) request.user = credentials.claims.sub;
      }
      const passage = await enter(visit, route, deps);
      visit.passage = passage;
      return await answer(
        { c, route, target, declared: visit.declared, credentials, passage, address: () => addressOf(visit, deps) },
        deps,
      );
    } catch (error) {
      visit.passage?.leave();
      c.error = error instanceof Error ? error : new Error("something that is no error was thrown");
      return refuse(c, error, visit, deps);
    }
  }
}

function visitOf(c: Context<AppEnv>): Visit {
  return { request: c.req.raw, server: c.env?.server, declared: declaredBytes(c.req.raw) };
}

function nameRow(visit: Visit, row: Visit["route"]): void {
  if (row !== undefined) Object.assign(visit, { route: row, pattern: row.path });
}

function refuse(c: Context<AppEnv>, thrown: unknown, visit: Visit, deps: GatewayDeps): Response {
  if (c.req.raw.signal.aborted) return clientGone();
  const error = toServiceError(thrown);
  noteRefusal(visit, error, deps);
  const { route } = visit;
  if (route?.page !== undefined && error.status === 401 && c.req.method === "GET") {
    const { pathname, search } = new URL(c.req.raw.url);
    return secured(c.redirect(loginLocation(route.page.login, pathname + search), 303), route);
  }
  return secured(answerRefusal(c, error, route?.errors ?? deps.defaultErrors), route);
}
