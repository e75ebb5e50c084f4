import type { Database } from "@vitrine/kit/postgres";
import type { Audit } from "./audit.ts";
import { ourselves } from "./caller.ts";
import type { AuthEvents } from "./events.ts";
import { isPublished, type KeyRing, makeSigningKey } from "./key-ring.ts";
import { takeLock } from "./locked.ts";
import { revoke } from "./revocations.ts";
import { createSigningKeyStore, type StoredSigningKey } from "./store/signing-keys.ts";

/**
 * `planned`: the new key is published well before it signs, the old one until its last token has expired, so that no
 * valid token is ever refused. `compromised`: the new key signs and the old ones are gone at once, with all tokens they
 * signed, here and by the feed at every gateway; people's sessions go on by their refresh tokens.
 */
export const rotationModes = ["planned", "compromised"] as const;

export type RotationMode = (typeof rotationModes)[number];

export interface KeyRotation {
  /** Rotates if the key is due, and looks again every hour. @throws ServiceError `unavailable` */
  start(): Promise<void>;
  stop(): void;
  /** Makes the next key; while one waits for its time already, `planned` returns that. */
  rotate(mode: RotationMode): Promise<{ readonly key: StoredSigningKey; readonly made: boolean }>;
  /** Newest first, those of the last day that are retired included. */
  list(): Promise<readonly StoredSigningKey[]>;
}

export interface KeyRotationOptions {
  readonly database: Database;
  /** 32 bytes. */
  readonly encryptionKey: Uint8Array;
  /** Days a key signs; 0 for as long as nobody rotates. */
  readonly everyDays: number;
  readonly keys: KeyRing;
  readonly audit: Audit;
  readonly events: AuthEvents;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * From the day a key is stored until it signs. Before that every process has read it (5 s), every cache of the key set
 * has run out (`max-age`, 300 s), and verifiers that ask again after a pause have done so (30 s for jose).
 */
export const leadMs = 600_000;
/** From the last token a key may sign until it is no longer published: their life and what clocks may differ. */
export const overlapMs = 900_000 + 120_000;
const keptMs = 86_400_000;
const dayMs = 86_400_000;
/** Whoever stole a key may sign with it for good: longer than any verifier keeps a key set it could not renew. */
const compromisedForMs = 30 * dayMs;
const checkEveryMs = 3_600_000;
const scheduled = {
  event: "authz_admin",
  outcome: "success",
  action: "signing_key_rotate",
  actor: "schedule",
} as const;

export function createKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { database, encryptionKey, everyDays, keys, audit, events, now } = options;
  let timer: ReturnType<typeof setInterval> | undefined;

  async function rotate(mode: RotationMode, ifDue = false) {
    const outcome = await audit.transaction(ourselves, async (tx, note) => {
      await takeLock(tx, "signing key");
      const store = createSigningKeyStore(tx);
      const at = now();
      const published = (await store.all()).filter((key) => isPublished(key, at));
      const [newest] = published;
      const waiting = newest !== undefined && newest.notBeforeMs > at;
      if (newest !== undefined && mode === "planned" && (waiting || (ifDue && !isDue(newest, at))))
        return { key: newest, made: false };
      const key = await makeSigningKey(encryptionKey, mode === "planned" ? at + leadMs : at);
      await store.add(key);
      for (const { kid } of published) {
        await store.retire(kid, mode === "planned" ? key.notBeforeMs + overlapMs : at);
        if (mode === "compromised")
          await revoke(tx, { kind: "signing_key", id: kid, atMs: at, expiresAtMs: at + compromisedForMs });
      }
      await store.removeRetired(at - keptMs);
      // Where somebody asked for it, the record of that says who.
      if (ifDue) note({ ...scheduled, target: key.kid, reason: mode });
      return { key, made: true };
    });
    if (outcome.made) {
      events.keyCreated(outcome.key.kid);
      await keys.reload();
    }
    return outcome;
  }

  /** The next key is made early enough to sign when the days of this one are over. */
  function isDue({ notBeforeMs }: StoredSigningKey, atMs: number): boolean {
    return everyDays > 0 && atMs >= notBeforeMs + everyDays * dayMs - leadMs;
  }

  return {
    start: async () => {
      await rotate("planned", true);
      const again = () => void rotate("planned", true).catch((error: unknown) => events.keyRotationFailed(error));
      timer ??= setInterval(again, checkEveryMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
    rotate: (mode) => rotate(mode),
    list: () => createSigningKeyStore(database).all(),
  };
}
