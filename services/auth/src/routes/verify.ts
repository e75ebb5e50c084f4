import type { AccessClaims } from "@vitrine/contracts/auth";
import { isScope, type Scope, scopesOfRole } from "@vitrine/contracts/scopes";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { hasScope, requireToken } from "@vitrine/kit/http/auth";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Keyring } from "@vitrine/kit/tokens/keyring";
import { Hono, type MiddlewareHandler } from "hono";
import { ownClientId } from "../access-tokens.ts";
import { attempt } from "../attempt.ts";
import { checkForwarded } from "../cross-site.ts";
import type { Feed } from "../feed.ts";
import type { PeopleEvents } from "../people-events.ts";
import { readSessionCookie } from "../session-cookie.ts";
import { type SessionLimits, sessionOfHandle } from "../sessions.ts";
import type { StoredSession } from "../store/sessions.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";

export interface VerifyRouteDeps extends Pick<RequestDeps, "verifier" | "database" | "ownOrigin"> {
  readonly keyring: Keyring;
  readonly feed: Feed;
  readonly peopleEvents: PeopleEvents;
  readonly sessionLimits: SessionLimits;
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Forward authentication for nginx, Traefik and Caddy: 200 with who it is, 401, or 403 where `scope` asks for more than
 * the identity has. `Authorization` counts, and where there is none the session cookie of a browser.
 */
export function verifyRoutes(deps: VerifyRouteDeps) {
  return new Hono<AppEnv>().use(noStore).get("/", identify(deps), (c) => {
    const choices = (c.req.queries("scope") ?? []).map(parseScopes);
    const { claims } = c.var;
    if (choices.length > 0 && !choices.some((scopes) => scopes.every((scope) => hasScope(claims, scope))))
      throw insufficientScope(choices);
    return c.body(null, 200, identityHeaders(claims));
  });
}

type ClaimsEnv = AppEnv & { Variables: { claims: AccessClaims } };

function identify(deps: VerifyRouteDeps): MiddlewareHandler<ClaimsEnv> {
  const byToken = requireToken(askingFeed(deps));
  return async function identifyCaller(c, next) {
    const handle = c.req.header("authorization") === undefined ? readSessionCookie(c) : undefined;
    if (handle === undefined) return byToken(c, next);
    checkForwarded(c.req, deps.ownOrigin);
    const session = await attempt(deps, "session_cookie", () => sessionOfHandle(deps.database, deps, handle));
    if (session === undefined) {
      deps.peopleEvents.refused("session_cookie", "session_over");
      throw new ServiceError("unauthenticated", "the session is over, sign in again", { reason: "session_over" });
    }
    c.set("claims", claimsOf(session, deps));
    return next();
  };
}

/**
 * The feed says nothing while nothing changes, and after a while without news the keyring does not take a key it does
 * not know for one that is not there: then the feed is asked.
 */
function askingFeed({ keyring, verifier, feed }: VerifyRouteDeps): TokenVerifier {
  const accepting = keyring.accept(verifier);
  return {
    ...accepting,
    verify: async (token) => {
      try {
        return await accepting.verify(token);
      } catch (error) {
        if (!(error instanceof ServiceError) || error.reason !== "cannot_verify") throw error;
        await feed.catchUp();
        return await accepting.verify(token);
      }
    },
  };
}

/** What an access token of the session would say; the session itself takes the place of its id. */
function claimsOf({ id, user, expiresAtMs }: StoredSession, { issuer, audience, now }: VerifyRouteDeps): AccessClaims {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  return {
    iss: issuer,
    aud: audience,
    sub: user.id,
    client_id: ownClientId,
    role: user.role,
    sid: id,
    jti: id,
    scope: scopesOfRole[user.role].join(" "),
    iat: seconds(now()),
    exp: seconds(expiresAtMs),
  };
}

function parseScopes(text: string): readonly Scope[] {
  const scopes = text.split(" ").filter((scope) => scope !== "");
  if (scopes.length > 0 && scopes.every(isScope)) return scopes;
  throw new ServiceError("invalid_request", "scope: names a scope that does not exist");
}

function insufficientScope(choices: readonly (readonly string[])[]): ServiceError {
  const wanted = choices.map((scopes) => scopes.join(" and ")).join(", or ");
  const scope = [...new Set(choices.flat())].join(" ");
  return new ServiceError("insufficient_scope", `the token needs the scope ${wanted}`, {
    reason: "insufficient_scope",
    headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

/** All of them on every answer, empty where there is nothing to say: a proxy that copies them overwrites a client's own. */
function identityHeaders(claims: AccessClaims): Record<string, string> {
  return {
    "x-auth-subject": claims.sub,
    "x-auth-client": claims.client_id,
    "x-auth-scope": claims.scope,
    "x-auth-role": claims.role ?? "",
    "x-auth-service": claims.service ?? "",
    "x-auth-service-prefix": claims.service_prefix ?? "",
    "x-auth-token-id": claims.jti,
    "x-auth-actor": claims.act?.sub ?? "",
  };
}
