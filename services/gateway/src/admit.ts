import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { bearerToken, checkScope } from "@vitrine/kit/http/auth";
import { checkOrigin } from "./browser/origin.ts";
import { readSessionHandle } from "./browser/session-cookie.ts";
import type { SessionTokens } from "./browser/sessions.ts";
import { addressKey } from "./client-address.ts";
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

/** Who asks, and the token that says so: the client's own, or the one its session stands for. */
export interface Credentials {
  readonly claims: AccessClaims;
  readonly token: string;
}

export interface Authenticator {
  readonly guard: ForgeryGuard;
  readonly sessions: SessionTokens;
  /** Where browsers reach the gateway: the only origin whose pages may use a session cookie. */
  readonly ownOrigin: string;
}

/**
 * The claims of a request: by the token in `Authorization`, never in the query (RFC 6750 §2.3); where the row takes
 * sessions and there is no such header, by the session cookie.
 *
 * @throws ServiceError 401 without a valid token; 403 for another site's use of a cookie; 429 after too many tokens that
 * were not valid; 503 when it cannot be judged, so that exporters keep their data
 */
export async function authenticate(
  request: Request,
  route: Route,
  { guard, sessions, ownOrigin }: Authenticator,
  address: () => string | undefined,
): Promise<Credentials> {
  const authorization = request.headers.get("authorization") ?? undefined;
  const handle =
    route.session === true && authorization === undefined
      ? readSessionHandle(request.headers.get("cookie"))
      : undefined;
  if (handle !== undefined) checkOrigin(request, route, ownOrigin);
  const judge = async (token: string) => ({ token, claims: await guard.verify(token, () => addressKey(address())) });
  const token = handle === undefined ? presentedToken(authorization, route) : await sessions.tokenOf(handle, address());
  try {
    return await judge(token).catch(async (error: unknown) => {
      if (handle === undefined || !isTakenBack(error)) throw error;
      return await judge(await sessions.tokenOf(handle, address(), token));
    });
  } catch (cause) {
    if (cause instanceof ServiceError && cause.status < 500) throw cause;
    throw new ServiceError("unavailable", undefined, { reason: "cannot_verify", retryAfterSeconds: 2, cause });
  }
}

/** A token, or the key that signed it: either can happen to a session that lives. */
function isTakenBack(error: unknown): boolean {
  return error instanceof ServiceError && (error.reason === "revoked" || error.reason === "unknown_key");
}

const basicForm = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;

/** The token itself, or where the row takes Basic credentials (RFC 7617) their password; the user's name says nothing. */
function presentedToken(authorization: string | undefined, { basic }: Route): string {
  const encoded = basic === true ? basicForm.exec(authorization ?? "")?.[1] : undefined;
  if (encoded === undefined) return bearerToken(authorization);
  const password = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, "base64").toString("latin1"))?.[1] ?? "";
  return bearerToken(`Bearer ${password}`);
}

/** @throws ServiceError 403 unless the token has one of the row's scopes */
export function authorise(claims: AccessClaims, access: Exclude<Route["access"], "public">): void {
  checkScope(claims, access);
}
