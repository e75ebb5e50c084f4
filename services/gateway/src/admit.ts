import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { bearerToken, checkScope } from "@vitrine/kit/http/auth";
import type { ForgeryGuard } from "./limits/forgery-guard.ts";
import type { PathEntry } from "./routes/match.ts";
import type { Route } from "./routes/route.ts";

/** The row for a path and method. @throws ServiceError `not_found`, `method_not_allowed` with `Allow` */
export function findRoute(entry: PathEntry | undefined, method: string): Route {
  if (entry === undefined) throw new ServiceError("not_found", undefined, { reason: "unknown_route" });
  const route = entry.byMethod.get(method);
  if (route !== undefined) return route;
  throw new ServiceError("method_not_allowed", `allowed here: ${entry.allow}`, {
    reason: "method_not_allowed",
    headers: { allow: entry.allow },
  });
}

/**
 * The claims of the request's token, from the `Authorization` header alone: never a cookie, never the query
 * (RFC 6750 §2.3).
 *
 * @throws ServiceError 401 without a valid token; 429 after too many that were not; 503 when it cannot be judged, so that exporters keep their data
 */
export async function authenticate(
  authorization: string | undefined,
  guard: ForgeryGuard,
  address: () => string | undefined,
): Promise<AccessClaims> {
  const token = bearerToken(authorization);
  try {
    return await guard.verify(token, address);
  } catch (cause) {
    if (cause instanceof ServiceError && cause.status < 500) throw cause;
    throw new ServiceError("unavailable", undefined, { reason: "cannot_verify", retryAfterSeconds: 2, cause });
  }
}

/** @throws ServiceError 403 unless the token has one of the row's scopes */
export function authorise(claims: AccessClaims, access: Exclude<Route["access"], "public">): void {
  checkScope(claims, access);
}
