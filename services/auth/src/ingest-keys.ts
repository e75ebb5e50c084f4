import type { IngestKey, NewIngestKey } from "@vitrine/contracts/ingest-keys";
import type { Queryable } from "@vitrine/kit/postgres";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import type { Audit, AuditEntry } from "./audit.ts";
import { type Caller, ourselves } from "./caller.ts";
import type { AuthEvents } from "./events.ts";
import { takeLock } from "./locked.ts";
import { addFeedEntry } from "./revocations.ts";
import { clientIdOfKey } from "./store/feed.ts";
import { createIngestKeyStore, type StoredIngestKey } from "./store/ingest-keys.ts";

export interface IngestKeyDeps {
  readonly audit: Audit;
  readonly events: AuthEvents;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One in use and one to change over to. */
const maxActive = 2;
/** What happened to a key is of interest to followers that were away; after this they start from what is live. */
const entryLifetimeMs = 86_400_000;
/** Who makes and revokes preset keys. */
const configuration = "configuration";

/** Makes a key; its text is in the answer and nowhere else. */
export async function createIngestKey(
  { audit, now }: IngestKeyDeps,
  grant: NewIngestKey,
  createdBy: string,
  caller: Caller,
): Promise<{ readonly stored: StoredIngestKey; readonly key: string } | "too_many_keys"> {
  const { id, key, hash } = makeIngestKey();
  const stored = toStored(grant, { id, hash, createdBy, preset: false, atMs: now() });
  const entry = { event: "authn_token_created", action: "ingest_key_create", actor: createdBy } as const;
  const made = await audit.transaction(caller, async (tx, note) => {
    await takeLock(tx, `ingest keys ${grant.name}`);
    const free = (await createIngestKeyStore(tx).liveOf(grant.name, now())).length < maxActive;
    if (free) await put(tx, stored, now());
    note(
      free ? { ...entry, outcome: "success", target: id } : { ...entry, outcome: "failure", reason: "too_many_keys" },
    );
    return free;
  });
  return made ? { stored, key } : "too_many_keys";
}

/** Ends a key everywhere, within a second; false when there is none. Revoking twice does no harm. */
export async function revokeIngestKey(
  { audit, now }: IngestKeyDeps,
  id: string,
  revokedBy: string,
  caller: Caller,
): Promise<boolean> {
  return audit.transaction(caller, async (tx, note) => {
    if ((await createIngestKeyStore(tx).find(id)) === undefined) return false;
    if (await end(tx, id, revokedBy, now())) note(revoked(id, revokedBy));
    return true;
  });
}

function revoked(id: string, by: string): AuditEntry {
  return { event: "authn_token_revoked", outcome: "success", action: "ingest_key_revoke", actor: by, target: id };
}

export interface PresetIngestKey {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly grant: NewIngestKey;
}

/**
 * Brings the stored keys in step with the configuration. A preset key that somebody revoked stays revoked, whatever the
 * configuration says: a leaked key must not come back with a restart.
 */
export async function storePresetIngestKeys(
  { audit, events, now }: IngestKeyDeps,
  presets: readonly PresetIngestKey[],
): Promise<void> {
  const refused: string[] = [];
  const removed = await audit.transaction(ourselves, async (tx, note) => {
    await takeLock(tx, "preset ingest keys");
    const keys = createIngestKeyStore(tx);
    for (const { id, hash, grant } of presets) {
      const known = await keys.find(id);
      if (known?.revokedAtMs !== undefined && known.revokedBy !== configuration) {
        refused.push(id);
        continue;
      }
      await put(tx, toStored(grant, { id, hash, createdBy: configuration, preset: true, atMs: now() }), now());
      if (known === undefined) {
        const entry = { event: "authn_token_created", action: "ingest_key_preset", actor: configuration } as const;
        note({ ...entry, outcome: "success", target: id });
      }
    }
    const others = await keys.otherPresets(presets.map(({ id }) => id));
    for (const { id } of others) {
      await end(tx, id, configuration, now());
      note(revoked(id, configuration));
    }
    return others.map(({ id }) => id);
  });
  if (presets.length + removed.length > 0) events.ingestKeysLoaded(presets.length, { removed, refused });
}

async function put(tx: Queryable, key: StoredIngestKey, atMs: number): Promise<void> {
  await createIngestKeyStore(tx).put(key);
  await addFeedEntry(tx, { kind: "ingest_key_added", id: key.id, atMs, expiresAtMs: atMs + entryLifetimeMs });
}

async function end(tx: Queryable, id: string, by: string, atMs: number): Promise<boolean> {
  const ended = await createIngestKeyStore(tx).revoke(id, atMs, by);
  if (ended) await addFeedEntry(tx, { kind: "ingest_key", id, atMs, expiresAtMs: atMs + entryLifetimeMs });
  return ended;
}

interface Making {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly createdBy: string;
  readonly preset: boolean;
  readonly atMs: number;
}

function toStored(grant: NewIngestKey, { id, hash, createdBy, preset, atMs }: Making): StoredIngestKey {
  return {
    id,
    hash,
    createdBy,
    preset,
    name: grant.name,
    scopes: [...new Set(grant.scopes)],
    service: grant.service,
    servicePrefix: grant.servicePrefix,
    createdAtMs: atMs,
    expiresAtMs: grant.expiresAt === undefined ? undefined : Date.parse(grant.expiresAt),
    revokedAtMs: undefined,
    revokedBy: undefined,
    lastUsedAtMs: undefined,
  };
}

/** What administrators are told of a key: nothing of its secret, not even the hash. */
export function toIngestKey(key: StoredIngestKey, atMs: number): IngestKey {
  return {
    id: key.id,
    name: key.name,
    clientId: clientIdOfKey(key.name),
    scopes: [...key.scopes],
    status: statusOf(key, atMs),
    preset: key.preset,
    createdBy: key.createdBy,
    createdAt: new Date(key.createdAtMs).toISOString(),
    ...(key.service === undefined ? {} : { service: key.service }),
    ...(key.servicePrefix === undefined ? {} : { servicePrefix: key.servicePrefix }),
    ...(key.expiresAtMs === undefined ? {} : { expiresAt: new Date(key.expiresAtMs).toISOString() }),
    ...(key.revokedAtMs === undefined ? {} : { revokedAt: new Date(key.revokedAtMs).toISOString() }),
    ...(key.lastUsedAtMs === undefined ? {} : { lastUsedAt: new Date(key.lastUsedAtMs).toISOString() }),
  };
}

function statusOf({ revokedAtMs, expiresAtMs }: StoredIngestKey, atMs: number): IngestKey["status"] {
  if (revokedAtMs !== undefined) return "revoked";
  return expiresAtMs !== undefined && expiresAtMs <= atMs ? "expired" : "active";
}
