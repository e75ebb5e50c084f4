import { isSpanContextValid, trace } from "@opentelemetry/api";
import type { Problem } from "@vitrine/contracts/problem";
import type { Context } from "hono";
import type { ServiceError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { AppEnv } from "./env.ts";

/**
 * Answers with `application/problem+json` (RFC 9457). A 5xx says nothing of its cause to the caller: that goes to the
 * log, found by the `requestId` and `traceId` in the answer. Without a logger the caller has logged it already.
 */
export function answerProblem(
  c: Context<AppEnv>,
  error: ServiceError,
  logger: Logger | undefined,
  thrown: unknown = error,
): Response {
  if (error.status >= 500) {
    logger?.error(
      {
        action: "http.error",
        err: thrown,
        extra: { code: error.code, reason: error.reason ?? null },
      },
      error.title,
    );
  }
  const span = trace.getActiveSpan()?.spanContext();
  const body: Problem = {
    ...error.extensions,
    type: "about:blank",
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    requestId: c.get("requestId") ?? "",
    ...(span === undefined || !isSpanContextValid(span) ? {} : { traceId: span.traceId }),
    ...(error.fields === undefined ? {} : { fields: [...error.fields] }),
  };
  return c.body(JSON.stringify(body), error.status, {
    ...error.headers,
    "content-type": "application/problem+json",
  });
}
