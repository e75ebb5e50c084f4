import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import { mediaType, type OtlpMediaType } from "./rpc-status.ts";

export interface CollectorCall {
  readonly url: string;
  /** Who speaks, by the verified token. */
  readonly identity: Readonly<Record<string, string>>;
  readonly type: OtlpMediaType;
  readonly content: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | string;
  readonly timeoutMs: number;
}

export interface CollectorAnswer {
  readonly status: number;
  /** Absent when the collector named no type, as it may for an empty answer. */
  readonly mediaType: string | undefined;
  readonly retryAfter: string | null;
  readonly body: ArrayBuffer;
}

/**
 * Hands telemetry to the collector and takes its whole answer, which is small. Redirects are never followed.
 *
 * @throws ServiceError 503 or 504 when no whole answer comes, 502 when the answer is a redirect or asks the gateway
 * for credentials: neither is about the client's token, and all of them may be tried again
 */
export async function callCollector(call: CollectorCall): Promise<CollectorAnswer> {
  const { url, identity, type, content, timeoutMs } = call;
  const response = await tracedFetch(url, {
    method: "POST",
    headers: { ...identity, "content-type": type, accept: type, "accept-encoding": "identity" },
    body: content,
    timeoutMs,
    decompress: false,
  });
  const body = await response.arrayBuffer().catch((cause: unknown) => {
    throw brokenOff(cause);
  });
  const { status } = response;
  if ((status >= 300 && status < 400) || status === 401 || status === 403 || status === 407) {
    throw misleading(`the collector answered ${status}`);
  }
  return {
    status,
    mediaType: mediaType(response.headers.get("content-type") ?? undefined),
    retryAfter: response.headers.get("retry-after"),
    body,
  };
}

/** 502 for an answer of the collector that would make a client drop what it should keep. */
export function misleading(what: string): ServiceError {
  return new ServiceError("upstream_failed", undefined, {
    reason: "upstream_failed",
    retryAfterSeconds: 2,
    cause: new Error(what),
  });
}

function brokenOff(cause: unknown): ServiceError {
  const timedOut = cause instanceof Error && cause.name === "TimeoutError";
  return new ServiceError(timedOut ? "upstream_timeout" : "unavailable", undefined, {
    reason: timedOut ? "upstream_timeout" : "upstream_down",
    retryAfterSeconds: 2,
    cause,
  });
}

/** What a client is told of a text the collector refused with: a 4xx speaks of its own body, a 5xx stays inside. */
export function refusalText(answer: CollectorAnswer): string {
  if (answer.status >= 500) return "the collector failed";
  const text = messageOf(answer)
    .slice(0, 200)
    .replaceAll(/[^\x20-\x7e]+/g, " ")
    .trim();
  return text || "the collector refused the request";
}

function messageOf({ mediaType, body }: CollectorAnswer): string {
  const text = new TextDecoder().decode(body);
  if (mediaType !== "application/json") return text;
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === "object" && status !== null && "message" in status) return String(status.message);
  } catch {
    // Called JSON and none: then it is text.
  }
  return text;
}
