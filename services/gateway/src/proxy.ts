import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import { takeBody } from "./body.ts";
import { requestHeaders, responseHeaders } from "./headers.ts";
import type { Route } from "./routes/route.ts";

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

/**
 * Passes a request on and streams the answer back, status for status, in the encoding it came in. Redirects are
 * handed to the client of a service and never followed.
 *
 * @throws ServiceError for the body as `takeBody` does; 503 or 504 when the upstream does not answer
 */
export async function proxy(request: Request, route: Route, url: string): Promise<Response> {
  const body = sendsBody(request) && route.body !== "none" ? await takeBody(request, route.body) : undefined;
  const upstream = await tracedFetch(url, {
    method: request.method,
    headers: requestHeaders(request, route),
    ...(body === undefined ? {} : { body: body.content }),
    timeoutMs: route.timeoutMs,
    decompress: false,
    signal: request.signal,
  }).catch((error: unknown) => {
    throw body?.fault() ?? error;
  });
  const fault = body?.fault();
  if (fault !== undefined) throw fault;
  if (upstream.status < 200) throw new ServiceError("upstream_failed", undefined, { reason: "upstream_failed" });
  return new Response(bodiless.has(upstream.status) ? null : upstream.body, {
    status: upstream.status,
    headers: responseHeaders(upstream, route),
  });
}
