import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { currentRequest } from "@vitrine/kit/context";
import { bearerToken } from "@vitrine/kit/http/auth";
import type { Queryable } from "@vitrine/kit/postgres";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { refused } from "@vitrine/kit/tokens/refusal";
import type { MiddlewareHandler } from "hono";
import { isLive } from "../sessions.ts";
import { createSecondFactorStore } from "../store/second-factor.ts";
import { createSessionStore, type StoredSession } from "../store/sessions.ts";

export interface RequireSessionDeps {
  readonly database: Queryable;
  readonly verifier: TokenVerifier;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type SessionEnv = AppEnv & { Variables: { claims: AccessClaims; session: StoredSession } };

/**
 * Requires the token of a session that lives, and keeps it in `c.var.session`. A client that acts for a person has
 * none: it may not change how that person signs in.
 * @throws ServiceError `insufficient_scope` for a token without a session, `invalid_token` for one whose is over
 */
export function requireSession({ database, verifier, now }: RequireSessionDeps): MiddlewareHandler<SessionEnv> {
  return async function authenticateSession(c, next) {
    const claims = await verifier.verify(bearerToken(c.req.header("authorization")));
    c.set("claims", claims);
    const request = currentRequest();
    if (request !== undefined) request.user = claims.sub;
    if (claims.sid === undefined || claims.act !== undefined) {
      throw new ServiceError("insufficient_scope", "the token does not belong to a session of a person", {
        reason: "no_session",
        headers: { "www-authenticate": 'Bearer error="insufficient_scope"' },
      });
    }
    const session = await createSessionStore(database).find(claims.sid);
    if (session === undefined || session.user.id !== claims.sub || !isLive(session, now())) throw refused("revoked");
    c.set("session", session);
    await next();
  };
}

/** How long a proof of identity is fresh enough for a change to how one signs in (ASVS 7.5.1). */
export const stepUpMaxAgeSeconds = 300;

/**
 * Requires that the session's owner proved who they are within the last five minutes, with the second factor if
 * `twice` says they have one.
 * @throws ServiceError `step_up_required` (401, RFC 9470 §3)
 */
export function checkRecentProof(session: StoredSession, atMs: number, twice: boolean): void {
  const recent = atMs - session.provenAtMs <= stepUpMaxAgeSeconds * 1_000;
  if (recent && (session.provenTwice || !twice)) return;
  const challenge = `Bearer error="insufficient_user_authentication", max_age=${stepUpMaxAgeSeconds}`;
  throw new ServiceError("step_up_required", "prove who you are at POST /api/auth/step-up, then send this again", {
    reason: "step_up_required",
    headers: { "www-authenticate": challenge },
  });
}

type ClaimsEnv = AppEnv & { Variables: { claims: AccessClaims } };

/**
 * Requires of a person who acts by a session a proof of the last five minutes, with the second factor where one is
 * active: a token that was stolen, or a browser left open, makes no keys and no administrators (ASVS 7.5.3). A client,
 * and what acts for a person by token exchange, has proved itself with the request for its token. Comes after what
 * sets `claims`. @throws ServiceError `step_up_required`, `invalid_token` for a session that is over
 */
export function requireRecentProof({
  database,
  now,
}: Pick<RequireSessionDeps, "database" | "now">): MiddlewareHandler<ClaimsEnv> {
  return async function checkProof(c, next) {
    const { sid } = c.var.claims;
    if (sid !== undefined) {
      const session = await createSessionStore(database).find(sid);
      if (session === undefined || !isLive(session, now())) throw refused("revoked");
      checkRecentProof(session, now(), await createSecondFactorStore(database).isActive(session.user.id));
    }
    await next();
  };
}

/** @throws ServiceError `insufficient_scope`: what one visitor changed, all visitors would have to live with */
export function refuseDemoVisitor({ user }: StoredSession): void {
  if (user.demo)
    throw new ServiceError("insufficient_scope", "the demo visitor's account cannot be changed", {
      reason: "demo_visitor",
    });
}
