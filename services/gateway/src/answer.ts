import { ServiceError } from "@vitrine/kit/errors";
import { answerMetrics, type AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import type { Credentials } from "./admit.ts";
import type { GatewayDeps } from "./deps.ts";
import { secured } from "./headers.ts";
import type { Passage } from "./limits/limits.ts";
import { forwardedPath, proxy } from "./proxy.ts";
import type { Route } from "./routes/route.ts";
import { checkUpgrade, openUpstream, type Tail } from "./tail.ts";
import type { Target } from "./target.ts";

/** A request that was let in. */
export interface Admitted {
  readonly c: Context<AppEnv>;
  readonly route: Route;
  readonly target: Target;
  /** Bytes the client says its body has. */
  readonly declared: number;
  /** Absent on a row that is open. */
  readonly credentials: Credentials | undefined;
  /** Left here once the answer is complete; by the caller when there is none. */
  readonly passage: Passage;
  readonly address: () => string | undefined;
}

/** Seconds a connection may be silent on every listener; slower rows ask for more, request by request. */
const idleTimeoutSeconds = 30;

/** Has the row's upstream, or the gateway itself, answer. @throws ServiceError when there is no answer to give */
export async function answer(admitted: Admitted, deps: GatewayDeps): Promise<Response> {
  const { c, route, target } = admitted;
  if (route.upstream === "self") return secured(await answerMetrics(c), route);
  const url = `${deps.upstreams[route.upstream]}${forwardedPath(route, target.path)}`;
  if (route.upgrade !== undefined) return await upgrade(admitted, `${url}${target.query}`, deps);
  return await pass(admitted, `${url}${target.query}`, deps);
}

async function pass(admitted: Admitted, url: string, deps: GatewayDeps): Promise<Response> {
  const { c, route, declared, credentials, passage, address } = admitted;
  const patienceSeconds = Math.ceil(route.timeoutMs / 1_000) + 5;
  if (patienceSeconds > idleTimeoutSeconds) c.env?.server?.timeout?.(c.req.raw, patienceSeconds);
  const { upstream } = route;
  const response = await proxy({
    request: c.req.raw,
    declared,
    route,
    url,
    clientAddress: address(),
    token: credentials?.token,
    claims: credentials?.claims,
    passage,
    deadlines: deps.deadlines,
    brokenOff: (cause) => deps.events.brokenOff(upstream, route.path, cause),
  });
  if (response.status >= 500) deps.events.upstreamFailed(upstream, route.path, response.status);
  else deps.events.upstreamAnswered(upstream);
  return secured(response, route);
}

/** Open WebSockets of one gateway; each costs two sockets for as long as somebody looks at a page. */
const maxTails = 1_000;

async function upgrade(admitted: Admitted, url: string, deps: GatewayDeps): Promise<Response> {
  const { c, route, credentials, passage } = admitted;
  checkUpgrade(c.req.raw);
  if (deps.tails.size() >= maxTails)
    throw new ServiceError("unavailable", undefined, { reason: "overloaded", retryAfterSeconds: 3 });
  const opened = await openUpstream(url, route.timeoutMs, c.req.raw.signal);
  if (opened === undefined) {
    // Asked plainly, the upstream says what it did not like.
    const response = await pass(admitted, url, deps);
    if (response.status >= 400) return response;
    throw new ServiceError("upstream_failed", undefined, { reason: "upstream_failed", retryAfterSeconds: 2 });
  }
  const data: Tail = {
    upstream: opened.socket,
    early: opened.early,
    check: async () => credentials && (await deps.guard.verify(credentials.token, () => undefined)),
    ended: () => passage.leave(),
  };
  if (c.env?.server?.upgrade?.(c.req.raw, { data }) === true) return new Response(null, { status: 101 });
  opened.socket.close();
  throw new ServiceError("invalid_request", "this is no request for a WebSocket", { reason: "no_upgrade" });
}
