import { join } from "node:path";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { accessTokenLifetimeMs } from "./access-tokens.ts";
import type { Audit } from "./audit.ts";
import type { AuditWatch } from "./audit-watch.ts";
import type { Config } from "./config.ts";
import type { AuthEvents } from "./events.ts";
import { ensureFirstPeople } from "./first-people.ts";
import type { Feed } from "./feed.ts";
import { storePresetIngestKeys } from "./ingest-keys.ts";
import type { KeyRotation } from "./key-rotation.ts";
import type { KeyRing } from "./key-ring.ts";
import { locked } from "./locked.ts";
import type { Passwords } from "./passwords.ts";
import { revoke } from "./revocations.ts";
import type { SessionKeeper } from "./session-keeper.ts";
import { createClientStore } from "./store/clients.ts";

export interface PreparationDeps {
  readonly config: Config;
  readonly database: Database;
  readonly logger: Logger;
  readonly audit: Audit;
  readonly auditWatch: AuditWatch;
  readonly events: AuthEvents;
  readonly keys: KeyRing;
  readonly passwords: Passwords;
  readonly feed: Feed;
  readonly rotation: KeyRotation;
  readonly sessionKeeper: SessionKeeper;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly print: (line: string) => void;
}

const migrations = join(import.meta.dir, "../migrations");

/** Start-up work in its order. Each step may be repeated, and any number of processes may be at it at once. */
export async function prepare(deps: PreparationDeps): Promise<void> {
  await migrate(deps.database, migrations, deps.logger);
  await deps.keys.load();
  await storePresetClients(deps);
  await storePresetIngestKeys(deps, deps.config.presetIngestKeys);
  await deps.passwords.ready();
  await ensureFirstPeople({ ...deps, ...deps.config.people });
  await deps.feed.start();
  await deps.rotation.start();
  deps.sessionKeeper.start();
  deps.auditWatch.start();
}

async function storePresetClients({ config, database, events, now }: PreparationDeps): Promise<void> {
  const { presetClients } = config;
  const disabled = await locked(database, "preset clients", async (tx) => {
    const clients = createClientStore(tx);
    for (const client of presetClients) await clients.putPreset(client);
    const gone = await clients.disableOtherPresets(presetClients.map(({ clientId }) => clientId));
    const atMs = now();
    // What they were given ends with them, at every gateway.
    for (const id of gone) await revoke(tx, { kind: "client", id, atMs, expiresAtMs: atMs + accessTokenLifetimeMs });
    return gone;
  });
  events.clientsLoaded(presetClients.length, disabled);
}
