import type { Caller } from "./caller.ts";
import type { PeopleEvents } from "./people-events.ts";
import { type OpenSession, refreshSession, type SessionDeps } from "./sessions.ts";

export interface RenewDeps extends SessionDeps {
  readonly peopleEvents: PeopleEvents;
}

const reasons = { unknown: "invalid_credentials", reused: "token_reused", over: "session_over" } as const;

/** Renews by a refresh token and counts how that went; whoever asks is told nothing of why it did not. */
export async function renewSession(deps: RenewDeps, token: string, caller: Caller): Promise<OpenSession | undefined> {
  const outcome = await refreshSession(deps, token, caller);
  if (typeof outcome === "object") {
    deps.peopleEvents.succeeded("refresh_token");
    return outcome;
  }
  deps.peopleEvents.refused("refresh_token", reasons[outcome]);
  if (outcome === "reused") deps.peopleEvents.tokenReused();
  return undefined;
}
