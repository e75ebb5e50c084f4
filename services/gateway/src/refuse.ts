import { metrics, type RefusalReason } from "@vitrine/contracts/telemetry";
import type { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { answerProblem } from "@vitrine/kit/http/problem";
import type { Context } from "hono";
import type { ErrorForm } from "./routes/route.ts";
import { encodeStatus, otlpMediaType } from "./rpc-status.ts";

const reasons: ReadonlySet<string> = new Set(metrics.gatewayRefusals.attributes.reason);

export function refusalReason(error: ServiceError): RefusalReason {
  return error.reason !== undefined && reasons.has(error.reason) ? (error.reason as RefusalReason) : "internal";
}

/** Exporters try these again, and without a hint some do so at once. */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const retryAfterSeconds = "2";

/** What a client can wait for: seconds, or a date (RFC 9110 §10.2.3). 0 is a hot loop. */
const retryAfterForm = /^(?:0*[1-9][0-9]{0,4}|[A-Z][a-z]{2}, [0-9A-Za-z: ]{15,22} GMT)$/;

/** Adds a `Retry-After` of 1 to 3 s where a client may try again and nothing useful is said. */
export function adviseRetry(headers: Headers, status: number): void {
  const advised = retryAfter(status, headers.get("retry-after") ?? undefined);
  if (advised !== undefined) headers.set("retry-after", advised);
}

function retryAfter(status: number, said: string | undefined): string | undefined {
  return retryable.has(status) && !retryAfterForm.test(said ?? "") ? retryAfterSeconds : said;
}

/** What answers of one type have in common: written to and copied for each, at half the cost of headers made anew. */
const ingestHeaders = new Map<string | undefined, Headers>();

/**
 * Headers of an answer to telemetry that went to the collector, to be copied into it at once. What browsers want to know is
 * no use to exporters.
 *
 * @param type one of the few a row answers in
 */
export function ingestAnswerHeaders(
  type: string | undefined,
  requestId: string,
  status: number,
  said: string | undefined,
): Headers {
  let headers = ingestHeaders.get(type);
  if (headers === undefined) {
    headers = new Headers({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    if (type !== undefined) headers.set("content-type", type);
    ingestHeaders.set(type, headers);
  }
  headers.set("x-request-id", requestId);
  const advised = retryAfter(status, said);
  if (advised === undefined) return headers;
  const own = new Headers(headers);
  own.set("retry-after", advised);
  return own;
}

/** nginx's code for a client that left: nobody reads it, the access log and the metrics do. */
export function clientGone(): Response {
  return new Response(null, { status: 499 });
}

/** Writes a refusal in the form the route's clients read. */
export function answerRefusal(c: Context<AppEnv>, error: ServiceError, form: ErrorForm): Response {
  if (form !== "problem") return answerMachine(error, form, c.req.header("content-type"));
  const response = answerProblem(c, error, undefined);
  adviseRetry(response.headers, error.status);
  return response;
}

/** Writes a refusal for who sends telemetry: `google.rpc.Status` in the request's encoding, or Loki's plain text. */
export function answerMachine(
  error: ServiceError,
  form: Exclude<ErrorForm, "problem">,
  contentType: string | undefined,
): Response {
  const message = error.detail ?? error.title;
  const type = form === "loki" ? "text/plain; charset=utf-8" : otlpMediaType(contentType);
  const body = form === "loki" ? `${message}\n` : encodeStatus(error.status, message, otlpMediaType(contentType));
  const response = new Response(body, { status: error.status, headers: { ...error.headers, "content-type": type } });
  adviseRetry(response.headers, error.status);
  return response;
}
