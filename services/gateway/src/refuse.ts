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

/** Adds a `Retry-After` of 1 to 3 s where a client may try again and nothing useful is said; 0 is a hot loop. */
export function adviseRetry(headers: Headers, status: number): void {
  const said = headers.get("retry-after");
  if (retryable.has(status) && (said === null || said === "0")) headers.set("retry-after", retryAfterSeconds);
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
