import type { AccessClaims } from "@vitrine/contracts/auth";
import { answerMetrics, type AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import type { GatewayDeps } from "./app.ts";
import { secure } from "./headers.ts";
import { ingestOtlp } from "./ingest.ts";
import type { Passage } from "./limits/limits.ts";
import { ingestLoki } from "./loki-push.ts";
import { forwardedPath, proxy } from "./proxy.ts";
import type { Route } from "./routes/route.ts";
import type { Target } from "./target.ts";

/** A request that was let in. */
export interface Admitted {
  readonly c: Context<AppEnv>;
  readonly route: Route;
  readonly target: Target;
  readonly claims: AccessClaims | undefined;
  /** Left here once the answer is complete; by the caller when there is none. */
  readonly passage: Passage;
  readonly address: () => string | undefined;
}

/** Seconds a connection may be silent on every listener; slower rows ask for more, request by request. */
const idleTimeoutSeconds = 30;

/** Has the row's upstream, or the gateway itself, answer. @throws ServiceError when there is no answer to give */
export async function answer(admitted: Admitted, deps: GatewayDeps): Promise<Response> {
  const { c, route, target, claims, passage, address } = admitted;
  if (route.upstream === "self") return secured(await answerMetrics(c), route);
  const url = `${deps.upstreams[route.upstream]}${forwardedPath(route, target.path)}`;
  if (route.ingest !== undefined && route.body !== "none" && claims !== undefined) {
    const ingest = route.ingest.format === "otlp" ? ingestOtlp : ingestLoki;
    const { body, timeoutMs } = route;
    const { response, bytes } = await ingest({ request: c.req.raw, claims, url, body, timeoutMs, passage });
    passage.leave();
    if (response.ok) deps.events.accepted(claims.client_id, route.ingest.signal, bytes);
    else if (response.status >= 500) deps.events.upstreamFailed(route.upstream, route.path, response.status);
    return response;
  }
  const patienceSeconds = Math.ceil(route.timeoutMs / 1_000) + 5;
  if (patienceSeconds > idleTimeoutSeconds) c.env?.server?.timeout?.(c.req.raw, patienceSeconds);
  const { upstream } = route;
  const response = await proxy({
    request: c.req.raw,
    route,
    url: `${url}${target.query}`,
    clientAddress: address(),
    passage,
    brokenOff: (cause) => deps.events.brokenOff(upstream, route.path, cause),
  });
  if (response.status >= 500) deps.events.upstreamFailed(upstream, route.path, response.status);
  return secured(response, route);
}

function secured(response: Response, route: Route): Response {
  secure(response.headers, route);
  return response;
}
