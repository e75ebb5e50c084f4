import type { MiddlewareHandler } from "hono";

export interface LineLogger {
  info(fields: object, message: string): void;
}

/** One line per request with the fields of the kit's access line, for variants that do not run the kit. */
export function accessLine(logger: LineLogger): MiddlewareHandler {
  return async function writeAccessLine(c, next) {
    const startedAt = performance.now();
    await next();
    const { method, path } = c.req;
    logger.info(
      {
        action: "http.request",
        duration_ms: performance.now() - startedAt,
        extra: { method, path, status: c.res.status },
      },
      `${method} ${path} ${c.res.status}`,
    );
  };
}
