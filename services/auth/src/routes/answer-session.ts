import type { TokenResponse } from "@vitrine/contracts/auth";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import type { AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import type { AccessTokens } from "../access-tokens.ts";
import { writeSessionCookie } from "../session-cookie.ts";
import type { OpenSession } from "../sessions.ts";

export interface SessionAnswerDeps {
  readonly accessTokens: AccessTokens;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** An access token of the session with the refresh token that renews it. */
export async function toTokens({ accessTokens }: SessionAnswerDeps, opened: OpenSession): Promise<TokenResponse> {
  const { user, session, secret } = opened;
  return { ...(await accessTokens.forPerson(user, scopesOfRole[user.role], session)), refresh_token: secret };
}

/** Answers a sign-in: with tokens, or with a cookie and nothing a script could carry away. */
export async function answerSession(
  c: Context<AppEnv>,
  deps: SessionAnswerDeps,
  opened: OpenSession,
  kind: "token" | "cookie",
) {
  if (kind === "token") return c.json(await toTokens(deps, opened));
  const { user, session, secret } = opened;
  writeSessionCookie(c, secret, Math.floor((session.expiresAtMs - deps.now()) / 1_000));
  const { id, name, role } = user;
  return c.json({
    user: { id, name, role },
    session: { id: session.id, expiresAt: new Date(session.expiresAtMs).toISOString() },
  });
}
