import { context, type Span, SpanKind, SpanStatusCode, propagation, trace } from "@opentelemetry/api";
import { isTracingSuppressed } from "@opentelemetry/core";
import { metrics } from "@vitrine/contracts/telemetry";
import { currentRequest } from "./context.ts";
import { ServiceError } from "./errors.ts";
import { type Histogram, histogram } from "./telemetry/instruments.ts";

export interface TracedFetchInit extends Omit<RequestInit, "headers" | "redirect"> {
  readonly headers?: RequestInit["headers"];
  /**
   * Deadline of the whole exchange, in milliseconds; every call has one. Once the answer is there, what passes it is
   * the reading of its body, which fails with a `TimeoutError` (`upstream_timeout`, if a route lets it through).
   */
  readonly timeoutMs: number;
  /** Bun: hand the body over as it came; `Content-Encoding` then tells the truth. */
  readonly decompress?: boolean;
}

let duration: Histogram<typeof metrics.httpClientRequestDuration> | undefined;

/**
 * `fetch` with a client span, `traceparent`, `X-Request-Id`, a deadline and no redirects. Bun's own fetch is not seen
 * by auto-instrumentation, so every call between services goes through here.
 *
 * @throws ServiceError `upstream_timeout` or `unavailable` (503, Retry-After) when no answer came; an answer of any
 * status is returned
 */
export async function tracedFetch(input: string | URL, init: TracedFetchInit): Promise<Response> {
  const target = new URL(input);
  const method = init.method ?? "GET";
  const active = context.active();
  if (isTracingSuppressed(active)) return await send(target, init, new Headers(init.headers));
  const span = trace.getTracer("@vitrine/kit").startSpan(method, {
    kind: SpanKind.CLIENT,
    attributes: {
      "http.request.method": method,
      "server.address": target.hostname,
      "server.port": portOf(target),
      // Without query: it may carry what nobody should find in a trace.
      "url.full": `${target.origin}${target.pathname}`,
    },
  });
  const headers = new Headers(init.headers);
  propagation.inject(trace.setSpan(active, span), headers, {
    set: (carrier, name, value) => carrier.set(name, value),
  });
  const request = currentRequest(active);
  if (request !== undefined && !headers.has("x-request-id")) headers.set("x-request-id", request.requestId);
  const startedAt = performance.now();
  try {
    const response = await send(target, init, headers);
    span.setAttribute("http.response.status_code", response.status);
    const failed = response.status >= 400 ? { "error.type": String(response.status) } : {};
    span.setAttributes(failed);
    if (response.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
    record(method, target, startedAt, { "http.response.status_code": response.status, ...failed });
    return response;
  } catch (error) {
    fail(span, error);
    record(method, target, startedAt, {
      "error.type": error instanceof ServiceError ? error.code : "aborted",
    });
    throw error;
  } finally {
    span.end();
  }
}

async function send(target: URL, init: TracedFetchInit, headers: Headers): Promise<Response> {
  const { timeoutMs, signal, headers: _, ...rest } = init;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(target, {
      ...rest,
      redirect: "manual",
      headers,
      signal: signal === undefined || signal === null ? deadline : AbortSignal.any([deadline, signal]),
    });
  } catch (cause) {
    if (deadline.aborted)
      throw new ServiceError("upstream_timeout", undefined, {
        reason: "upstream_timeout",
        retryAfterSeconds: 2,
        cause,
      });
    if (signal?.aborted === true) throw cause;
    throw new ServiceError("unavailable", undefined, {
      reason: "upstream_down",
      retryAfterSeconds: 2,
      cause,
    });
  }
}

function fail(span: Span, error: unknown): void {
  const type = error instanceof ServiceError ? error.code : "aborted";
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

function record(
  method: string,
  target: URL,
  startedAt: number,
  outcome: Readonly<Record<string, string | number>>,
): void {
  duration ??= histogram(metrics.httpClientRequestDuration);
  duration.record((performance.now() - startedAt) / 1_000, {
    "http.request.method": method as "GET",
    "server.address": target.hostname,
    "server.port": portOf(target),
    ...outcome,
  });
}

function portOf(target: URL): number {
  if (target.port !== "") return Number(target.port);
  return target.protocol === "https:" ? 443 : 80;
}
