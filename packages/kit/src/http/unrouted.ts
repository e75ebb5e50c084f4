import type { Context, Hono } from "hono";
import { ServiceError } from "../errors.ts";
import type { AppEnv } from "./env.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * Why no route answered a request: `method_not_allowed` with `Allow` where the path has routes of other methods (RFC 9110
 * §15.5.6), `not_found` where it has none, or where a route of this method did not find what was asked for. The router is
 * asked for each method only then, so that requests which are answered pay nothing.
 */
export function unroutedError(app: Hono<AppEnv>, c: Context<AppEnv>): ServiceError {
  const allowed = methods.filter((method) => hasRoute(app, method, c.req.path)).flatMap(withHead);
  if (allowed.length === 0 || allowed.some((method) => method === c.req.method)) return new ServiceError("not_found");
  const allow = allowed.join(", ");
  return new ServiceError("method_not_allowed", `allowed here: ${allow}`, { headers: { allow } });
}

/** Middleware matches too, and is of no method. */
function hasRoute({ router }: Hono<AppEnv>, method: string, path: string): boolean {
  return router.match(method, path)[0].some(([[, route]]) => route.method === method);
}

/** Whoever answers GET answers HEAD. */
function withHead(method: (typeof methods)[number]): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}
