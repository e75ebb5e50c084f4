import { metrics } from "@vitrine/contracts/telemetry";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { type ErrorCode, ServiceError } from "../errors.ts";
import type { Readiness } from "../lifecycle.ts";
import type { Logger } from "../log.ts";
import { observe } from "../telemetry/instruments.ts";
import { collectMetricsText } from "../telemetry/setup.ts";
import type { AppEnv } from "./env.ts";
import { answerProblem } from "./problem.ts";
import { observeRequests } from "./observe.ts";
import { unroutedError } from "./unrouted.ts";

export type { AppBindings, AppEnv } from "./env.ts";

export interface BaseAppOptions {
  readonly service: string;
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Makes an id for a request that brings none. */
  readonly newId?: () => string;
  /** Routes that leave neither a span nor an access line, by path prefix; they are still measured. */
  readonly quietPaths?: readonly string[];
  /** Routes that do not wait for start-up tasks, by path prefix. */
  readonly startingPaths?: readonly string[];
  /** False where `/metrics` must not be open to whoever reaches the port. Default true. */
  readonly metricsRoute?: boolean;
}

/**
 * The app every service starts from: request id, span, metrics, access log, RFC 9457 errors, `/health/live`,
 * `/health/ready` and `/metrics`. While start-up tasks run, all other routes but `startingPaths` answer 503 with Retry-After.
 */
export function createBaseApp(options: BaseAppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError((error, c) => {
    if (c.req.raw.signal.aborted && error.name === "AbortError") return new Response(null, { status: clientGone });
    return answerProblem(c, toServiceError(error), options.logger, error);
  });
  app.notFound((c) => answerProblem(c, unroutedError(app, c), options.logger));
  app.get("/health/live", (c) => c.json({ status: "alive" }));
  app.get("/health/ready", async (c) => {
    const report = await options.readiness.report();
    return c.json(report, report.ready ? 200 : 503);
  });
  if (options.metricsRoute !== false) app.get("/metrics", (c) => answerMetrics(c));
  observe(metrics.appUp, (report) => report(options.readiness.isReady() ? 1 : 0));
  app.use(observeRequests(options));
  app.use(async (c, next) => {
    if (
      options.readiness.isStarting() &&
      options.startingPaths?.some((prefix) => c.req.path.startsWith(prefix)) !== true
    ) {
      throw new ServiceError("unavailable", "the service is starting", {
        reason: "starting",
        retryAfterSeconds: 1,
      });
    }
    try {
      await next();
    } catch (cause) {
      // Only what is no error gets here: Hono hands it on as it came, and Bun would answer without us.
      throw new Error("something that is not an error was thrown", { cause });
    }
  });
  return app;
}

/** nginx's code for a client that left before its answer: nobody reads it but the access log and the metrics. */
const clientGone = 499;

/** The service's metrics as Prometheus text. */
export async function answerMetrics(c: Context<AppEnv>): Promise<Response> {
  return c.text(await collectMetricsText(), 200, {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
  });
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "insufficient_scope",
  404: "not_found",
  405: "method_not_allowed",
  413: "payload_too_large",
  415: "unsupported_media_type",
  429: "rate_limited",
};

/** What a caller is told about anything that was thrown: a bug becomes `internal`. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof HTTPException && error.status < 500) {
    const code = codeOfStatus[error.status] ?? "invalid_request";
    return new ServiceError(code, error.message === "" ? undefined : error.message, { cause: error });
  }
  if (error instanceof Error) {
    // Bun stops reading a body of unknown length at the listener's limit; it has no class or code for that.
    if (error.message === "Request body exceeded maxRequestBodySize")
      return new ServiceError("payload_too_large", undefined, { cause: error });
    // The deadline of an outgoing call passed while its answer was being read.
    if (error.name === "TimeoutError")
      return new ServiceError("upstream_timeout", undefined, {
        reason: "upstream_timeout",
        retryAfterSeconds: 2,
        cause: error,
      });
  }
  return new ServiceError("internal", undefined, { cause: error });
}
