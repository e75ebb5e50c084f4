import { randomBytes } from "node:crypto";
import type { Role } from "@vitrine/contracts/scopes";
import type { ListedUser } from "@vitrine/contracts/users";
import { accessTokenLifetimeMs } from "./access-tokens.ts";
import type { Audit } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { isGuessable } from "./common-passwords.ts";
import type { Feed } from "./feed.ts";
import { takeLock } from "./locked.ts";
import type { Passwords } from "./passwords.ts";
import { revoke } from "./revocations.ts";
import { endSessions } from "./sessions.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import { createManagedUserStore } from "./store/managed-users.ts";
import { createUserStore } from "./store/users.ts";

export interface ManagedUserDeps {
  readonly audit: Audit;
  readonly feed: Feed;
  readonly passwords: Passwords;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** Who does it: the subject of the administrator's token, and where from. */
export interface Administrator {
  readonly id: string;
  readonly caller: Caller;
}

interface NewPerson {
  readonly name: string;
  readonly role: Role;
  readonly password?: string | undefined;
}

/** 144 random bits: it stands until its owner changes it. */
function makePassword(): string {
  return randomBytes(18).toString("base64url");
}

/** Makes a person of any role; without a password one is made and returned. */
export async function createUser(
  { audit, passwords, newId }: ManagedUserDeps,
  { name, role, password }: NewPerson,
  by: Administrator,
): Promise<{ readonly user: ListedUser; readonly password: string | undefined } | "name_taken" | "weak_password"> {
  if (password !== undefined && isGuessable(password, name)) return "weak_password";
  const made = password === undefined ? makePassword() : undefined;
  const id = newId();
  const passwordHash = await passwords.hash(password ?? made ?? "");
  const user = await audit.transaction(by.caller, async (tx, note) => {
    const added = await createUserStore(tx).add({ id, name, role, passwordHash });
    const entry = { event: "user_created", action: "user_create", actor: by.id } as const;
    note(added ? { ...entry, outcome: "success", target: id } : { ...entry, outcome: "failure", reason: "name_taken" });
    return added ? await createManagedUserStore(tx).find(id) : undefined;
  });
  return user === undefined ? "name_taken" : { user, password: made };
}

interface Change {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
}

/**
 * Gives a person another role, disables or enables them. Every token they hold ends, and with the disabling every
 * session: what they may do from now on is asked for anew. The last administrator stays one.
 */
export async function changeUser(
  deps: ManagedUserDeps,
  id: string,
  { role, disabled }: Change,
  by: Administrator,
): Promise<ListedUser | "unknown" | "last_admin" | "demo_visitor"> {
  const outcome = await deps.audit.transaction(by.caller, async (tx, note) => {
    // Two administrators who demote each other at once must not both succeed.
    await takeLock(tx, "administrators");
    const users = createManagedUserStore(tx);
    const user = await users.find(id);
    if (user === undefined) return "unknown";
    // Its password is known to everyone: what it may do is the configuration's alone.
    if (user.demo) return "demo_visitor";
    const entry = { actor: by.id, target: id } as const;
    const leaves = (role !== undefined && role !== "admin") || disabled === true;
    const admins = await users.admins();
    if (leaves && admins.length === 1 && admins[0] === id) {
      note({ ...entry, event: "authz_admin", outcome: "failure", action: "user_change", reason: "last_admin" });
      return "last_admin";
    }
    if (role !== undefined && role !== user.role) {
      await users.setRole(id, role);
      note({ ...entry, event: "authz_change", outcome: "success", action: "role_change", reason: role });
    }
    if (disabled !== undefined && disabled !== user.disabled) {
      await users.setDisabled(id, disabled);
      const action = disabled ? "user_disable" : "user_enable";
      note({ ...entry, event: "user_updated", outcome: "success", action });
      if (disabled) await endSessions(tx, deps.now(), id, {}, "disabled");
    }
    await endTokens(tx, id, deps.now());
    return (await users.find(id)) ?? "unknown";
  });
  await deps.feed.catchUp();
  return outcome;
}

/** Gives a person a password that is made here, and ends every session and token of theirs. */
export async function resetUserPassword(
  deps: ManagedUserDeps,
  id: string,
  by: Administrator,
): Promise<string | undefined> {
  const password = makePassword();
  const hash = await deps.passwords.hash(password);
  const done = await deps.audit.transaction(by.caller, async (tx, note) => {
    const users = createManagedUserStore(tx);
    const user = await users.find(id);
    // The demo visitor's password is known to everyone on purpose.
    if (user === undefined || user.demo) return false;
    await users.setPasswordHash(id, hash);
    // Who lost the device needs a way back; who stole the password holds no half-done sign-in any more.
    const factors = createSecondFactorStore(tx);
    await factors.removeChallenges(id);
    if (await factors.remove(id))
      note({ event: "authn_second_factor", outcome: "success", action: "reset", actor: by.id, target: id });
    await endSessions(tx, deps.now(), id, {}, "password_reset");
    await endTokens(tx, id, deps.now());
    note({ event: "user_updated", outcome: "success", action: "password_reset", actor: by.id, target: id });
    return true;
  });
  await deps.feed.catchUp();
  return done ? password : undefined;
}

/** Also those of clients that act for the person, which belong to no session. */
async function endTokens(tx: Parameters<typeof revoke>[0], id: string, atMs: number): Promise<void> {
  await revoke(tx, { kind: "user", id, atMs, expiresAtMs: atMs + accessTokenLifetimeMs });
}
