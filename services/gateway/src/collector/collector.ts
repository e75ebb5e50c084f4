import { withoutSpan } from "@vitrine/kit/context";
import { tracedFetch } from "@vitrine/kit/fetch";
import { mediaType, type OtlpMediaType } from "../rpc-status.ts";
import type { Deadlines } from "../deadlines.ts";
import type { HttpAnswer } from "./answer-reader.ts";
import type { PostedBody } from "./connection.ts";
import { away, late, wrong } from "./faults.ts";
import { createPool } from "./pool.ts";

export interface CollectorCall extends PostedBody {
  readonly path: string;
  /** Who speaks, by the verified token: printable ASCII without spaces. */
  readonly identity: Identity;
  readonly type: OtlpMediaType;
}

export interface Identity {
  readonly "x-client-id": string;
  readonly "x-client-service": string;
}

export interface CollectorAnswer {
  readonly status: number;
  /** Absent when the collector named no type, as it may for an empty answer. */
  readonly mediaType: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Collector {
  /**
   * Hands telemetry to the collector and takes its whole answer, which is small. Redirects are never followed. Once it
   * has an outcome the content is no longer needed.
   *
   * @throws ServiceError 503 or 504 when no whole answer comes, 502 when the answer is a redirect or asks the gateway
   * for credentials: neither is about the client's token, and all of them may be tried again
   */
  post(call: CollectorCall): Promise<CollectorAnswer>;
  close(): void;
}

/**
 * The way to a collector: connections of our own that are kept, which cost a third of what `fetch` does; `fetch` where
 * it speaks TLS.
 *
 * @param url http or https, with or without a path, without a trailing slash
 */
export function createCollector(url: string, deadlines: Deadlines): Collector {
  const { protocol, hostname, port, host, pathname } = new URL(url);
  if (protocol !== "http:") return { post: (call) => fetchAnswer(url, call), close: () => undefined };
  const pool = createPool({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80), deadlines });
  const prefix = pathname === "/" ? "" : pathname;
  const toHead = createHeads(prefix, host);
  return { post: (call) => pool.post(toHead(call), call).then(toAnswer), close: () => pool.close() };
}

/** Heads by who speaks: they differ in nothing else but path and type, and are the same for as long as a token lives. */
function createHeads(prefix: string, host: string): (call: CollectorCall) => string {
  const known = new WeakMap<Identity, Map<string, Map<OtlpMediaType, string>>>();
  function write({ path, identity, type }: CollectorCall): string {
    const head =
      `POST ${prefix}${path} HTTP/1.1\r\nhost: ${host}\r\nx-client-id: ${identity["x-client-id"]}\r\n` +
      `x-client-service: ${identity["x-client-service"]}\r\ncontent-type: ${type}\r\naccept: ${type}\r\n` +
      "accept-encoding: identity\r\n";
    const byPath = known.get(identity) ?? new Map<string, Map<OtlpMediaType, string>>();
    const byType = byPath.get(path) ?? new Map<OtlpMediaType, string>();
    known.set(identity, byPath.set(path, byType.set(type, head)));
    return head;
  }
  return (call) => known.get(call.identity)?.get(call.path)?.get(call.type) ?? write(call);
}

function toAnswer({ status, headers, body }: HttpAnswer): CollectorAnswer {
  checkStatus(status);
  return { status, mediaType: mediaType(headers.get("content-type")), retryAfter: headers.get("retry-after"), body };
}

async function fetchAnswer(
  url: string,
  { path, identity, type, content, timeoutMs }: CollectorCall,
): Promise<CollectorAnswer> {
  const headers = { ...identity, "content-type": type, accept: type, "accept-encoding": "identity" };
  // A copy: `fetch` may still be sending when the answer is there already.
  const body = content instanceof Uint8Array ? content.slice() : content;
  // Telemetry that made spans would make telemetry without end.
  const response = await withoutSpan({ requestId: "" }, () =>
    tracedFetch(url + path, { method: "POST", headers, body, timeoutMs, decompress: false }),
  );
  const answer = await response.bytes().catch((cause: unknown) => {
    throw cause instanceof Error && cause.name === "TimeoutError" ? late(cause) : away(cause);
  });
  const { status } = response;
  checkStatus(status);
  return {
    status,
    mediaType: mediaType(response.headers.get("content-type") ?? undefined),
    retryAfter: response.headers.get("retry-after") ?? undefined,
    body: answer,
  };
}

function checkStatus(status: number): void {
  if ((status >= 300 && status < 400) || status === 401 || status === 403 || status === 407)
    throw wrong(new Error(`the collector answered ${status}`));
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
