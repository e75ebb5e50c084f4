import { passwordChange, refreshRequest, type Session } from "@vitrine/contracts/people";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { attempt } from "../attempt.ts";
import { changePassword } from "../change-password.ts";
import { refuseCrossSite } from "../cross-site.ts";
import type { PeopleDeps } from "../people.ts";
import { renewSession } from "../renew-session.ts";
import { clearSessionCookie, readSessionCookie } from "../session-cookie.ts";
import { endOwnSessions, sessionOfHandle } from "../sessions.ts";
import { createSecondFactorStore } from "../store/second-factor.ts";
import { createSessionStore, type StoredSession } from "../store/sessions.ts";
import { type SessionAnswerDeps, toTokens } from "./answer-session.ts";
import { noStore } from "./no-store.ts";
import { refuseWeakPassword } from "./people.ts";
import type { RequestDeps } from "./request-deps.ts";
import { checkRecentProof, refuseDemoVisitor, requireSession } from "./require-session.ts";

export interface SessionRouteDeps extends PeopleDeps, SessionAnswerDeps, RequestDeps {}

const sessionId = z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/, "is no id of a session") });
const endings = z.strictObject({ keep: z.enum(["current"]).optional() });

/** What the owner of a session does with it and with the others of theirs. */
export function sessionRoutes(deps: SessionRouteDeps) {
  const { callerOf, database, now } = deps;
  const withSession = requireSession(deps);
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/refresh", validated("json", refreshRequest), async (c) => {
      const renewed = await renewSession(deps, c.req.valid("json").refresh_token, callerOf(c));
      if (renewed === undefined) {
        throw new ServiceError("invalid_token", "the refresh token is not valid any more", {
          reason: "session_over",
          headers: { "www-authenticate": 'Bearer error="invalid_token"' },
        });
      }
      return c.json(await toTokens(deps, renewed));
    })
    .get("/sessions", withSession, async (c) => {
      const { session } = c.var;
      const live = session.user.demo
        ? // Visitors share the account, and are strangers to each other.
          [session]
        : await createSessionStore(database).live(session.user.id, now());
      return c.json({ items: live.map((one) => toSession(one, session.id)) });
    })
    .delete("/sessions", withSession, validated("query", endings), async (c) => {
      const { session } = c.var;
      refuseDemoVisitor(session);
      const keep = c.req.valid("query").keep === "current";
      await endOwnSessions(deps, session, callerOf(c), keep ? { except: session.id } : {});
      return c.body(null, 204);
    })
    .delete("/sessions/:id", withSession, validated("param", sessionId), async (c) => {
      const { session } = c.var;
      const { id } = c.req.valid("param");
      if (id !== session.id) refuseDemoVisitor(session);
      if ((await endOwnSessions(deps, session, callerOf(c), { only: id })) === 0)
        throw new ServiceError("not_found", "you have no such session");
      return c.body(null, 204);
    })
    .post("/password", withSession, validated("json", passwordChange), async (c) => {
      const { session } = c.var;
      refuseDemoVisitor(session);
      const active = await createSecondFactorStore(database).isActive(session.user.id);
      // Without a second factor the current password is the fresh proof.
      if (active) checkRecentProof(session, now(), true);
      const { endOtherSessions = true, ...passwords } = c.req.valid("json");
      const outcome = await changePassword(deps, session, { ...passwords, endOtherSessions }, callerOf(c));
      if (outcome === "wrong_password") throw new ServiceError("invalid_credentials", "the current password is wrong");
      if (outcome === "weak_password") throw refuseWeakPassword("newPassword");
      return c.body(null, 204);
    });
}

/** What a browser does by its cookie alone, each of it refused to other sites. */
export function cookieRoutes(deps: SessionRouteDeps) {
  const { callerOf, database, accessTokens, peopleEvents } = deps;
  const withSession = requireSession(deps);
  const ownSite = refuseCrossSite(deps.ownOrigin);
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/session/token", ownSite, async (c) => {
      const handle = readSessionCookie(c);
      if (handle === undefined) throw new ServiceError("unauthenticated", "there is no session cookie");
      const session = await attempt(deps, "session_cookie", () => sessionOfHandle(database, deps, handle));
      if (session === undefined) {
        peopleEvents.refused("session_cookie", "session_over");
        clearSessionCookie(c);
        throw new ServiceError("unauthenticated", "the session is over, sign in again", { reason: "session_over" });
      }
      peopleEvents.succeeded("session_cookie");
      return c.json(await accessTokens.forPerson(session.user, scopesOfRole[session.user.role], session));
    })
    .post("/logout", ownSite, async (c, next) => {
      const handle = readSessionCookie(c);
      if (handle === undefined) return next();
      const session = await sessionOfHandle(database, deps, handle);
      if (session !== undefined) await endOwnSessions(deps, session, callerOf(c), { only: session.id });
      clearSessionCookie(c);
      return c.body(null, 204);
    })
    .post("/logout", withSession, async (c) => {
      await endOwnSessions(deps, c.var.session, callerOf(c), { only: c.var.session.id });
      return c.body(null, 204);
    });
}

function toSession(session: StoredSession, currentId: string): Session {
  const { id, kind, createdAtMs, lastUsedAtMs, expiresAtMs, idleExpiresAtMs, address, userAgent } = session;
  return {
    id,
    kind,
    current: id === currentId,
    createdAt: new Date(createdAtMs).toISOString(),
    lastUsedAt: new Date(lastUsedAtMs).toISOString(),
    expiresAt: new Date(Math.min(expiresAtMs, idleExpiresAtMs)).toISOString(),
    ...(address === undefined ? {} : { address }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}
