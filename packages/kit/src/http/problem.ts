import { isSpanContextValid, trace } from "@opentelemetry/api";
import type { Problem } from "@vitrine/contracts/problem";
import type { Context } from "hono";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ServiceError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { AppEnv } from "./env.ts";

/**
 * Answers with `application/problem+json` (RFC 9457). A 5xx says nothing of its cause to the caller: that goes to the
 * log, found by the `requestId` and `traceId` in the answer, and shown at its `instance`. Without a logger the caller
 * has logged it already. A browser that opened the address as a page gets the same as HTML.
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
  const requestId = c.get("requestId") ?? "";
  if (opensPage(c)) return answerErrorPage(c, error, requestId);
  const span = trace.getActiveSpan()?.spanContext();
  const body: Problem = {
    ...error.extensions,
    type: "about:blank",
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    requestId,
    ...(requestId === "" ? {} : { instance: pageOf(requestId) }),
    ...(span === undefined || !isSpanContextValid(span) ? {} : { traceId: span.traceId }),
    ...(error.fields === undefined ? {} : { fields: [...error.fields] }),
  };
  return c.body(JSON.stringify(body), error.status, {
    ...error.headers,
    "content-type": "application/problem+json",
  });
}

/** Where the console tells what is known of a request. */
function pageOf(requestId: string): string {
  return `/requests/${encodeURIComponent(requestId)}`;
}

/** Browsers ask for HTML before anything else when they open an address, and never when a script calls. */
function opensPage(c: Context<AppEnv>): boolean {
  return c.req.method === "GET" && c.req.header("accept")?.startsWith("text/html") === true;
}

function answerErrorPage(c: Context<AppEnv>, error: ServiceError, requestId: string): Response {
  const { status, title, detail } = error;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <title>${status} ${title}</title>
      </head>
      <body>
        <h1>${title}</h1>
        ${detail === undefined ? "" : html`<p>${detail}</p>`}
        <p>${status}, request <a href="${pageOf(requestId)}">${requestId}</a></p>
      </body>
    </html>`;
  // Nothing in it is awaited, so that it is a text already.
  return c.body(page as HtmlEscapedString, status, {
    ...error.headers,
    "content-type": "text/html; charset=utf-8",
    vary: "accept",
  });
}
