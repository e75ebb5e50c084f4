import type { AuditEntry } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { attempt } from "./attempt.ts";
import type { PeopleDeps } from "./people.ts";
import { proveSecondFactor, refuseProof } from "./second-factor-proof.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import { createSessionStore, type StoredSession } from "./store/sessions.ts";

/** Whether this is the password of the session's owner, throttled by session: a stolen one must not guess it. */
export function isOwnPassword(
  deps: PeopleDeps,
  session: StoredSession,
  password: string,
  caller: Caller,
): Promise<boolean> {
  return attempt(deps, "password", async () => {
    const buckets = await deps.defence.guard("session", session.id, caller, "password");
    const user = await deps.users.findWithPassword(session.user.id);
    const matches = await deps.passwords.verify(password, user?.passwordHash);
    if (matches) await deps.defence.forgiveAll(deps.database, buckets);
    return matches;
  });
}

/** Proves anew who holds the session; where a second factor is active it is needed as well. @throws ThrottledError */
export async function stepUp(
  deps: PeopleDeps,
  session: StoredSession,
  { password, code }: { readonly password: string; readonly code: string | undefined },
  caller: Caller,
): Promise<"proven" | "wrong_password" | "wrong_code"> {
  const { database, audit, now } = deps;
  const about = { action: "step_up", actor: session.user.id, session: session.id } as const;
  const failed = (reason: string): AuditEntry => ({ ...about, event: "authn_login_fail", outcome: "failure", reason });
  if (!(await isOwnPassword(deps, session, password, caller))) {
    await audit.record(caller, failed("wrong_password"));
    return "wrong_password";
  }
  const active = await createSecondFactorStore(database).isActive(session.user.id);
  const proof = active && code !== undefined ? await proveSecondFactor(deps, session.user.id, code, caller) : undefined;
  if (active && proof === undefined) return "wrong_code";
  const proven = await audit.transaction(caller, async (tx, note) => {
    if (proof !== undefined && !(await proof.take(tx))) return false;
    await createSessionStore(tx).prove(session.id, now(), active);
    note({ ...about, event: "authn_login_success", outcome: "success" });
    return true;
  });
  if (proven) return "proven";
  if (proof !== undefined) await refuseProof(deps, session.user.id, proof.method, caller, "used_code");
  return "wrong_code";
}
