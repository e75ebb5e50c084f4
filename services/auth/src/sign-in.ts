import type { User } from "@vitrine/contracts/auth";
import type { Queryable } from "@vitrine/kit/postgres";
import type { Note } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { failuresBefore } from "./defence.ts";
import { attempt } from "./attempt.ts";
import type { PeopleDeps } from "./people.ts";
import { findChallenge, openChallenge, proveSecondFactor, refuseProof } from "./second-factor-proof.ts";
import { openSession, type OpenSession, type Opening } from "./sessions.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import { createUserStore, type StoredUser } from "./store/users.ts";

interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

export interface SecondFactorNeeded {
  readonly challenge: string;
  readonly expiresInSeconds: number;
}

/**
 * Opens a session for the person whose name and password these are, or asks for their second factor. An unknown name
 * costs what a wrong password does, in time, in attempts and in words (ASVS 6.3.8). @throws ThrottledError
 */
export function signIn(
  deps: PeopleDeps,
  claimed: NameAndPassword,
  kind: Opening["kind"],
  caller: Caller,
): Promise<OpenSession | SecondFactorNeeded | undefined> {
  return attempt(deps, "password", () => judgePassword(deps, claimed, kind, caller));
}

async function judgePassword(
  deps: PeopleDeps,
  { name, password }: NameAndPassword,
  kind: Opening["kind"],
  caller: Caller,
): Promise<OpenSession | SecondFactorNeeded | undefined> {
  const { users, passwords, audit, defence, peopleEvents, now } = deps;
  const guard = await defence.guardSignIn(name, caller);
  const found = await users.findByName(name);
  const refuse = async () => {
    peopleEvents.refused("password", "invalid_credentials");
    const failure = { event: "authn_login_fail", outcome: "failure", action: "password", actor: found?.id } as const;
    const alarms = await defence.failed(guard, found?.id);
    await audit.record(caller, { ...failure, reason: "invalid_credentials" }, ...alarms);
    return undefined;
  };
  const matches = await passwords.verify(password, found?.passwordHash);
  if (!matches || found === undefined) return refuse();
  const outcome = await audit.transaction(caller, async (tx, note) => {
    // While the password was judged, or waited to be, it may have been changed and the person disabled or demoted.
    const user = await createUserStore(tx).hold(found);
    if (user === undefined) return undefined;
    await defence.forgive(tx, guard);
    if (await createSecondFactorStore(tx).isActive(user.id)) {
      note({ event: "authn_second_factor", outcome: "success", action: "challenge", actor: user.id });
      return openChallenge(tx, now(), { userId: user.id, kind });
    }
    return open(deps, tx, note, { user, caller, kind, method: "password", failures: failuresBefore(guard) });
  });
  if (outcome === undefined) return refuse();
  peopleEvents.succeeded("password");
  return outcome;
}

/** Opens the session a challenge stands for, by the second factor of whoever met the first. @throws ThrottledError */
export function signInWithCode(
  deps: PeopleDeps,
  challengeText: string,
  code: string,
  caller: Caller,
): Promise<MetChallenge | undefined> {
  return attempt(deps, "totp", () => judgeCode(deps, challengeText, code, caller));
}

interface MetChallenge {
  readonly opened: OpenSession;
  readonly kind: Opening["kind"];
}

async function judgeCode(
  deps: PeopleDeps,
  challengeText: string,
  code: string,
  caller: Caller,
): Promise<MetChallenge | undefined> {
  const { users, audit, peopleEvents } = deps;
  const challenge = await findChallenge(deps, challengeText);
  const found = challenge && (await users.findWithPassword(challenge.userId));
  if (challenge === undefined || found === undefined) {
    await deps.defence.guessed(caller, "totp");
    peopleEvents.refused("totp", "invalid_credentials");
    const failure = { event: "authn_login_fail", outcome: "failure", action: "totp" } as const;
    await audit.record(caller, { ...failure, reason: "unknown_challenge" });
    return undefined;
  }
  const proof = await proveSecondFactor(deps, found.id, code, caller);
  if (proof === undefined) return undefined;
  const { kind } = challenge;
  const { method } = proof;
  const opened = await audit.transaction(caller, async (tx, note) => {
    const user = await createUserStore(tx).hold(found);
    // The challenge first: whoever finds it gone must not use up a code.
    if (user === undefined || !(await challenge.take(tx)) || !(await proof.take(tx))) return undefined;
    return open(deps, tx, note, { user, caller, kind, method, failures: 0 });
  });
  if (opened === undefined) {
    await refuseProof(deps, found.id, method, caller, "used_code");
    return undefined;
  }
  peopleEvents.succeeded(method);
  return { opened, kind };
}

interface SignedIn {
  readonly user: StoredUser;
  readonly caller: Caller;
  readonly kind: Opening["kind"];
  readonly method: "password" | "totp" | "backup_code";
  readonly failures: number;
}

async function open(
  deps: PeopleDeps,
  tx: Queryable,
  note: Note,
  { user: { id, name, role, demo }, caller, kind, method, failures }: SignedIn,
): Promise<OpenSession> {
  const user: User = { id, name, role };
  const opened = await openSession(tx, deps, user, caller, { kind, provenTwice: method !== "password" });
  const success = { outcome: "success", actor: id, session: opened.session.id } as const;
  note({ ...success, event: "authn_login_success", action: method });
  note({ ...success, event: "session_created", action: kind });
  // Everyone is the demo visitor, from everywhere.
  await deps.defence.succeeded(tx, demo ? () => undefined : note, id, caller, demo ? 0 : failures);
  return opened;
}
