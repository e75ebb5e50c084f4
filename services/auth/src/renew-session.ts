import { attempt } from "./attempt.ts";
import type { Caller } from "./caller.ts";
import type { Defence } from "./defence.ts";
import type { PeopleEvents } from "./people-events.ts";
import { type OpenSession, type Permit, refreshSession, type SessionDeps } from "./sessions.ts";

export interface RenewDeps extends SessionDeps {
  readonly peopleEvents: PeopleEvents;
  readonly defence: Defence;
}

const reasons = { unknown: "invalid_credentials", reused: "token_reused", over: "session_over" } as const;

const unknownToken = {
  event: "authn_login_fail",
  outcome: "failure",
  action: "refresh_token",
  reason: "invalid_credentials",
} as const;

/**
 * Renews by a refresh token and counts how that went; whoever asks is told nothing of why it did not.
 * @throws ThrottledError when too many tokens that nobody was given came from the address
 */
export async function renewSession(
  deps: RenewDeps,
  token: string,
  caller: Caller,
  permit?: Permit,
): Promise<OpenSession | undefined> {
  const outcome = await attempt(deps, "refresh_token", () => refreshSession(deps, token, caller, permit));
  if (typeof outcome === "object") {
    deps.peopleEvents.succeeded("refresh_token");
    return outcome;
  }
  if (outcome === "unknown") await deps.defence.guessed(caller, "refresh_token");
  deps.peopleEvents.refused("refresh_token", reasons[outcome]);
  if (outcome === "reused") deps.peopleEvents.tokenReused();
  if (outcome === "unknown") await deps.audit.record(caller, unknownToken);
  return undefined;
}
