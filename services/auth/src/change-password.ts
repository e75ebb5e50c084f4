import type { Caller } from "./caller.ts";
import { isGuessable } from "./common-passwords.ts";
import type { PeopleDeps } from "./people.ts";
import { endSessions } from "./sessions.ts";
import { isOwnPassword } from "./step-up.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import type { StoredSession } from "./store/sessions.ts";
import { createUserStore } from "./store/users.ts";

export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly endOtherSessions: boolean;
}

/** Gives the owner of the session another password, and ends every other session of theirs (ASVS 6.2.3, 7.4.3). */
export async function changePassword(
  deps: PeopleDeps,
  session: StoredSession,
  { currentPassword, newPassword, endOtherSessions }: PasswordChange,
  caller: Caller,
): Promise<"changed" | "wrong_password" | "weak_password"> {
  const { users, passwords, audit, peopleEvents, now } = deps;
  const entry = {
    event: "authn_password_change",
    action: "password_change",
    actor: session.user.id,
    session: session.id,
  } as const;
  const refuse = async (reason: "wrong_password" | "weak_password") => {
    peopleEvents.passwordChange("failure");
    await audit.record(caller, { ...entry, outcome: "failure", reason });
    return reason;
  };
  const user = await users.findWithPassword(session.user.id);
  const matches = await isOwnPassword(deps, session, currentPassword, caller);
  if (user === undefined || !matches) return refuse("wrong_password");
  if (isGuessable(newPassword, user.name)) return refuse("weak_password");
  const newHash = await passwords.hash(newPassword);
  const changed = await audit.transaction(caller, async (tx, note) => {
    if (!(await createUserStore(tx).changePassword(user.id, user.passwordHash, newHash))) return false;
    // Whoever knew the old password gets no further with it.
    await createSecondFactorStore(tx).removeChallenges(user.id);
    if (endOtherSessions) {
      const ended = await endSessions(tx, now(), user.id, { except: session.id }, "password_change");
      for (const target of ended)
        note({ ...entry, event: "session_expired", outcome: "success", action: "session_end", target });
    }
    note({ ...entry, outcome: "success" });
    return true;
  });
  if (!changed) return refuse("wrong_password");
  await deps.feed.catchUp();
  peopleEvents.passwordChange("success");
  return "changed";
}
