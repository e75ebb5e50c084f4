import { createHash, randomBytes } from "node:crypto";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import type { Audit } from "./audit.ts";
import { parseBackupCode } from "./backup-codes.ts";
import type { Caller } from "./caller.ts";
import type { Defence } from "./defence.ts";
import type { Passwords } from "./passwords.ts";
import type { PeopleEvents } from "./people-events.ts";
import { unseal } from "@vitrine/kit/seal";
import { type Challenge, createSecondFactorStore, type StoredSeed } from "./store/second-factor.ts";
import { findStep } from "./totp.ts";

export interface SecondFactorDeps {
  readonly database: Database;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly peopleEvents: PeopleEvents;
  readonly defence: Defence;
  /** 32 bytes; seeds are stored encrypted with it. */
  readonly encryptionKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const challengeLifetimeMs = 300_000;
const challengeForm = /^[A-Za-z0-9_-]{43}$/;

/** Bound to its owner: a seed moved to another person does not open there. */
export function seedContextOf(userId: string): string {
  return `totp ${userId}`;
}

export function openSeed({ encryptionKey }: SecondFactorDeps, userId: string, stored: StoredSeed): Uint8Array {
  return Buffer.from(unseal(encryptionKey, stored.sealedSeed, seedContextOf(userId)), "base64url");
}

/** A code that is right; it counts once {@link Proof.take} says so in the transaction of what it is for. */
export interface Proof {
  readonly method: "totp" | "backup_code";
  /** False when somebody else took it first. */
  take(tx: Queryable): Promise<boolean>;
}

/**
 * Judges a code of an authenticator app or a backup code, throttled on its own. @throws ThrottledError
 * @returns undefined when it is not right; that is then counted and stored
 */
export async function proveSecondFactor(
  deps: SecondFactorDeps,
  userId: string,
  code: string,
  caller: Caller,
): Promise<Proof | undefined> {
  const buckets = await deps.defence.guard("second_factor", userId, caller, "totp");
  const backup = parseBackupCode(code);
  const method = backup === undefined ? "totp" : "backup_code";
  const judged = backup === undefined ? await judgeTotp(deps, userId, code) : await judgeBackup(deps, userId, code);
  if (judged === undefined) {
    await refuseProof(deps, userId, method, caller, "wrong_code");
    return undefined;
  }
  return {
    method,
    take: async (tx) => {
      const taken = await judged(tx);
      if (taken) {
        await deps.defence.forgiveAll(tx, buckets);
        deps.peopleEvents.secondFactor(method, "success");
      }
      return taken;
    },
  };
}

/** What a code that was right for two at once is to the second of them. */
export async function refuseProof(
  { audit, peopleEvents }: SecondFactorDeps,
  userId: string,
  method: Proof["method"],
  caller: Caller,
  reason: "wrong_code" | "used_code",
): Promise<void> {
  peopleEvents.secondFactor(method, "failure");
  peopleEvents.refused(method, "invalid_credentials");
  await audit.record(caller, { event: "authn_login_fail", outcome: "failure", action: method, actor: userId, reason });
}

type Take = (tx: Queryable) => Promise<boolean>;

async function judgeTotp(deps: SecondFactorDeps, userId: string, code: string): Promise<Take | undefined> {
  const stored = await createSecondFactorStore(deps.database).find(userId);
  if (stored === undefined || !stored.confirmed) return undefined;
  const step = findStep(openSeed(deps, userId, stored), code, deps.now(), stored.lastStep);
  if (step === undefined) return undefined;
  return (tx) => createSecondFactorStore(tx).takeStep(userId, stored, step);
}

async function judgeBackup(deps: SecondFactorDeps, userId: string, text: string): Promise<Take | undefined> {
  const code = parseBackupCode(text);
  const hash = code && (await createSecondFactorStore(deps.database).codeHash(userId, code.number));
  // Without a hash it takes the same time: which of the ten are used is not told.
  if (code === undefined || !(await deps.passwords.verify(code.secret, hash)) || hash === undefined) return undefined;
  return (tx) => createSecondFactorStore(tx).takeCode(userId, code.number, hash, deps.now());
}

/** Asks for the second factor of a sign-in whose password was right; the text is kept nowhere. */
export async function openChallenge(
  tx: Queryable,
  atMs: number,
  challenge: Challenge,
): Promise<{ readonly challenge: string; readonly expiresInSeconds: number }> {
  const text = randomBytes(32).toString("base64url");
  await createSecondFactorStore(tx).addChallenge(hashOf(text), challenge, atMs + challengeLifetimeMs);
  return { challenge: text, expiresInSeconds: challengeLifetimeMs / 1_000 };
}

export interface OpenChallenge extends Challenge {
  /** Once: a challenge that was met is void. */
  take(tx: Queryable): Promise<boolean>;
}

export async function findChallenge(
  { database, now }: SecondFactorDeps,
  text: string,
): Promise<OpenChallenge | undefined> {
  if (!challengeForm.test(text)) return undefined;
  const found = await createSecondFactorStore(database).findChallenge(hashOf(text), now());
  return found && { ...found, take: (tx) => createSecondFactorStore(tx).takeChallenge(hashOf(text)) };
}

function hashOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
