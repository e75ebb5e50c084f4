import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import { takeBody } from "./body.ts";
import { identityHeaders, ingestAnswerHeaders } from "./headers.ts";
import { adviseRetry } from "./refuse.ts";
import type { BodyRule } from "./routes/route.ts";
import { encodeStatus, mediaType, type OtlpMediaType, otlpMediaType } from "./rpc-status.ts";

export interface IngestRequest {
  readonly request: Request;
  readonly claims: AccessClaims;
  /** The collector's address for this signal. */
  readonly url: string;
  readonly body: BodyRule;
  readonly timeoutMs: number;
}

export interface IngestAnswer {
  readonly response: Response;
  /** Encoded bytes the client sent. */
  readonly bytes: number;
}

/**
 * Hands one OTLP/HTTP request to the collector: decoded, unparsed, under the verified identity. What comes back is
 * success, partial success, or a `google.rpc.Status` in the request's encoding, with the status the exporter needs to
 * keep or drop its data.
 *
 * @throws ServiceError 413, 415, 400 for the body; 503 or 504 when the collector does not answer; 502 when its answer
 * would mislead an exporter
 */
export async function ingest({ request, claims, url, body: rule, timeoutMs }: IngestRequest): Promise<IngestAnswer> {
  const identity = identityHeaders(claims);
  const body = await takeBody(request, rule);
  const type = otlpMediaType(request.headers.get("content-type") ?? undefined);
  const response = await tracedFetch(url, {
    method: "POST",
    headers: { ...identity, "content-type": type, accept: type, "accept-encoding": "identity" },
    body: body.content,
    timeoutMs,
    decompress: false,
  }).catch((error: unknown) => {
    throw body.fault() ?? error;
  });
  const answer = await response.arrayBuffer().catch((cause: unknown) => {
    throw body.fault() ?? brokenOff(cause);
  });
  // The collector may have answered before it read so far.
  const fault = body.fault();
  if (fault !== undefined) throw fault;
  return { response: toOtlpAnswer(response, answer, type), bytes: body.received() };
}

function brokenOff(cause: unknown): ServiceError {
  const timedOut = cause instanceof Error && cause.name === "TimeoutError";
  return new ServiceError(timedOut ? "upstream_timeout" : "unavailable", undefined, {
    reason: timedOut ? "upstream_timeout" : "upstream_down",
    retryAfterSeconds: 2,
    cause,
  });
}

function toOtlpAnswer(upstream: Response, answer: ArrayBuffer, type: OtlpMediaType): Response {
  const { status } = upstream;
  // A redirect or a demand for credentials is about the gateway, not about the client's token: it may try again.
  if ((status >= 300 && status < 400) || status === 401 || status === 403 || status === 407) {
    throw new ServiceError("upstream_failed", undefined, {
      reason: "upstream_failed",
      retryAfterSeconds: 2,
      cause: new Error(`the collector answered ${status}`),
    });
  }
  const theirs = mediaType(upstream.headers.get("content-type") ?? undefined);
  const headers = new Headers(ingestAnswerHeaders);
  headers.set("content-type", type);
  const retryAfter = upstream.headers.get("retry-after");
  if (retryAfter !== null) headers.set("retry-after", retryAfter);
  adviseRetry(headers, status);
  if (theirs === type || (status < 300 && answer.byteLength === 0)) {
    return new Response(answer, { status, headers });
  }
  if (status < 300) {
    throw new ServiceError("upstream_failed", undefined, {
      reason: "upstream_failed",
      cause: new Error(`the collector answered ${status} as ${theirs ?? "nothing"}`),
    });
  }
  return new Response(encodeStatus(status, toMessage(status, answer), type), { status, headers });
}

/** A 4xx of the collector speaks of the client's own body; what a 5xx says stays inside. */
function toMessage(status: number, answer: ArrayBuffer): string {
  if (status >= 500) return "the collector failed";
  const text = new TextDecoder().decode(answer.slice(0, 200)).replaceAll(/[^\x20-\x7e]+/g, " ");
  return text.trim() || "the collector refused the request";
}
