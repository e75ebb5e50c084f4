import { randomBytes } from "node:crypto";
import type { Queryable } from "@vitrine/kit/postgres";
import qrcode from "qrcode";
import type { AuditEntry } from "./audit.ts";
import { hashBackupCodes, makeBackupCodes } from "./backup-codes.ts";
import type { Caller } from "./caller.ts";
import { seal } from "@vitrine/kit/seal";
import { openSeed, type SecondFactorDeps, seedContextOf } from "./second-factor-proof.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import { createSessionStore, type StoredSession } from "./store/sessions.ts";
import { findStep, otpauthUri, toBase32 } from "./totp.ts";

/** RFC 4226 §4 R6 recommends 160 bits. */
const seedBytes = 20;
/** What authenticator apps show above the code. */
const issuer = "Vitrine";

export interface Enrolment {
  /** Base32, to be typed where the picture cannot be read. */
  readonly secret: string;
  readonly uri: string;
  /** The URI as QR code: SVG as a data URI. */
  readonly qr: string;
}

/** Makes a seed that counts once a code of it was shown; undefined when a second factor is active already. */
export async function beginEnrolment(deps: SecondFactorDeps, session: StoredSession): Promise<Enrolment | undefined> {
  const { id, name } = session.user;
  const seed = randomBytes(seedBytes);
  const sealed = seal(deps.encryptionKey, seed.toString("base64url"), seedContextOf(id));
  if (!(await createSecondFactorStore(deps.database).begin(id, sealed, deps.now()))) return undefined;
  const uri = otpauthUri(seed, issuer, name);
  const svg = await qrcode.toString(uri, { type: "svg", errorCorrectionLevel: "M" });
  return { secret: toBase32(seed), uri, qr: `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}` };
}

/** Makes the begun factor active by a code of it, and answers with ten backup codes nobody will see again. */
export async function confirmEnrolment(
  deps: SecondFactorDeps,
  session: StoredSession,
  code: string,
  caller: Caller,
): Promise<readonly string[] | "wrong_code" | "nothing_begun"> {
  const { database, passwords, audit, defence, now } = deps;
  const userId = session.user.id;
  const stored = await createSecondFactorStore(database).find(userId);
  if (stored === undefined || stored.confirmed) return "nothing_begun";
  const buckets = await defence.guard("second_factor", userId, caller, "totp");
  const step = findStep(openSeed(deps, userId, stored), code, now(), stored.lastStep);
  const codes = makeBackupCodes();
  const hashes = step === undefined ? [] : await hashBackupCodes(passwords, codes);
  const confirmed = await audit.transaction(caller, async (tx, note) => {
    const store = createSecondFactorStore(tx);
    const taken = step !== undefined && (await store.takeStep(userId, stored, step, now()));
    if (taken) {
      await store.putCodes(userId, hashes);
      await createSessionStore(tx).prove(session.id, now(), true);
      await defence.forgiveAll(tx, buckets);
    }
    note(changeEntry(session, "second_factor_enable", taken ? undefined : "wrong_code"));
    return taken;
  });
  if (!confirmed) return "wrong_code";
  deps.peopleEvents.secondFactorChanged("enabled");
  return codes;
}

/** Makes ten new backup codes; the old ones are void. Undefined when no second factor is active. */
export async function renewBackupCodes(
  deps: SecondFactorDeps,
  session: StoredSession,
  caller: Caller,
): Promise<readonly string[] | undefined> {
  const codes = makeBackupCodes();
  const hashes = await hashBackupCodes(deps.passwords, codes);
  const done = await change(deps, session, caller, "backup_codes_renew", async (tx) => {
    const store = createSecondFactorStore(tx);
    if (!(await store.isActive(session.user.id))) return false;
    await store.putCodes(session.user.id, hashes);
    return true;
  });
  if (done) deps.peopleEvents.secondFactorChanged("codes_renewed");
  return done ? codes : undefined;
}

/** False when there was none. */
export async function disableSecondFactor(
  deps: SecondFactorDeps,
  session: StoredSession,
  caller: Caller,
): Promise<boolean> {
  const done = await change(deps, session, caller, "second_factor_disable", (tx) =>
    createSecondFactorStore(tx).remove(session.user.id),
  );
  if (done) deps.peopleEvents.secondFactorChanged("disabled");
  return done;
}

function change(
  { audit }: SecondFactorDeps,
  session: StoredSession,
  caller: Caller,
  action: string,
  work: (tx: Queryable) => Promise<boolean>,
): Promise<boolean> {
  return audit.transaction(caller, async (tx, note) => {
    const done = await work(tx);
    note(changeEntry(session, action, done ? undefined : "no_second_factor"));
    return done;
  });
}

function changeEntry(session: StoredSession, action: string, reason: string | undefined): AuditEntry {
  return {
    event: "authn_second_factor",
    outcome: reason === undefined ? "success" : "failure",
    action,
    actor: session.user.id,
    session: session.id,
    reason,
  };
}
