import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import { takeBody } from "./body.ts";
import { watch } from "./body-stream.ts";
import { requestHeaders, responseHeaders } from "./headers.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Passage } from "./limits/limits.ts";
import { type Route, upstreams } from "./routes/route.ts";

/** The path an upstream sees for a path of ours. */
export function forwardedPath(route: Route, path: string): string {
  if (route.forward === "keep") return path;
  return "as" in route.forward ? route.forward.as : path.slice(route.forward.strip.length);
}

/** A body of GET or HEAD has no meaning (RFC 9110 §9.3.1) and goes no further. */
function sendsBody(request: Request): boolean {
  return request.body !== null && request.method !== "GET" && request.method !== "HEAD";
}

/** Answers that have no body whatever their headers say (RFC 9110 §6.4.1). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** Answers up to this declared length are read whole, so that one that breaks off is an error and not half an answer. */
const wholeBytes = 262_144;

export interface ProxyRequest {
  readonly request: Request;
  readonly declared: number;
  readonly route: Route;
  /** With the query. */
  readonly url: string;
  /** Who asks: for our own services, which throttle by it. */
  readonly clientAddress: string | undefined;
  /** The verified token, if the row needs one; for our own services, which verify it again. */
  readonly token: string | undefined;
  /** What it says of who asks: for a viewer. */
  readonly claims: AccessClaims | undefined;
  /** Left when the answer has gone out, whichever way it ends. */
  readonly passage: Passage;
  readonly deadlines: Deadlines;
  /** Hears of an answer that broke off after its first part had gone out. */
  readonly brokenOff: (cause: unknown) => void;
}

/**
 * Passes a request on and streams the answer back, status for status, in the encoding it came in. Redirects are
 * handed to the client of a service and never followed.
 *
 * @throws ServiceError for the body as `takeBody` does; 502, 503 or 504 when the upstream gives no whole answer
 */
export async function proxy(call: ProxyRequest): Promise<Response> {
  const { request, route, passage } = call;
  const body =
    sendsBody(request) && route.body !== "none"
      ? await takeBody({ request, declared: call.declared, rule: route.body, passage, deadlines: call.deadlines })
      : undefined;
  const queued = passage.toUpstream();
  if (queued !== undefined) await queued;
  const upstream = await tracedFetch(call.url, {
    method: request.method,
    headers: requestHeaders(call),
    ...(body === undefined ? {} : { body: body.content }),
    timeoutMs: route.timeoutMs,
    decompress: false,
    signal: request.signal,
  }).catch((error: unknown) => {
    throw body?.fault() ?? error;
  });
  const fault = body?.fault();
  if (fault !== undefined) throw fault;
  if (body !== undefined) passage.carried(body.decoded());
  if (upstream.status < 200 || blamesCaller(upstream.status, route)) throw brokenAnswer(undefined);
  const init = { status: upstream.status, headers: responseHeaders(upstream, route) };
  const content = await answerBody(upstream, call);
  return new Response(content, init);
}

/** An engine never sees the caller's token: a 401 or 403 of its own is about us, and would have the caller doubt its token. */
function blamesCaller(status: number, route: Route): boolean {
  return upstreams[route.upstream] === "engine" && (status === 401 || status === 403);
}

async function answerBody(upstream: Response, call: ProxyRequest): Promise<ArrayBuffer | ReadableStream | null> {
  const { passage, request } = call;
  if (upstream.body === null || bodiless.has(upstream.status) || request.method === "HEAD") {
    passage.leave();
    return null;
  }
  if (Number(upstream.headers.get("content-length") ?? Number.NaN) <= wholeBytes) {
    const content = await upstream.arrayBuffer().catch((cause: unknown) => {
      throw request.signal.aborted || isTimeout(cause) ? cause : brokenAnswer(cause);
    });
    passage.leave();
    return content;
  }
  request.signal.addEventListener("abort", () => passage.leave(), { once: true });
  return watch(upstream.body, {
    ended: () => passage.leave(),
    failed: (cause) => {
      if (!request.signal.aborted) call.brokenOff(cause);
    },
  });
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

function brokenAnswer(cause: unknown): ServiceError {
  return new ServiceError("upstream_failed", undefined, { reason: "upstream_failed", retryAfterSeconds: 2, cause });
}
