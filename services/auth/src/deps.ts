import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createKeyring, type Keyring } from "@vitrine/kit/tokens/keyring";
import { createAccessTokens } from "./access-tokens.ts";
import type { AppDeps } from "./app.ts";
import type { Config } from "./config.ts";
import { createClientAssertions } from "./client-assertions.ts";
import { createAudit } from "./audit.ts";
import { createAuditWatch } from "./audit-watch.ts";
import { callerOf } from "./caller.ts";
import { createDefence } from "./defence.ts";
import { createAuthEvents } from "./events.ts";
import { createFeed } from "./feed.ts";
import { createKeyRing } from "./key-ring.ts";
import { createKeyRotation } from "./key-rotation.ts";
import { createPasswords, type PasswordFunction } from "./passwords.ts";
import { createPeopleEvents } from "./people-events.ts";
import type { PreparationDeps } from "./prepare.ts";
import { createSessionKeeper } from "./session-keeper.ts";
import { createClientStore } from "./store/clients.ts";
import { createIngestKeyStore } from "./store/ingest-keys.ts";
import { createThrottle } from "./throttle.ts";
import { createUserStore } from "./store/users.ts";

export interface World {
  readonly config: Config;
  readonly database: Database;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly stopping: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly print: (line: string) => void;
  readonly passwordFunction?: PasswordFunction;
}

/** Everything the service is made of, from what the process gives it. */
export function createDeps(world: World): AppDeps & PreparationDeps & { readonly keyring: Keyring } {
  const { config, database, logger, now, newId } = world;
  const { issuer, audience } = config.tokens;
  const events = createAuthEvents(logger);
  const keys = createKeyRing({ database, encryptionKey: config.keyEncryptionKey, events, now });
  const keyring = createKeyring({ now, issuer, audience });
  const audit = createAudit({ database, logger, now });
  const peopleEvents = createPeopleEvents();
  const throttle = createThrottle(database, now);
  const encryptionKey = config.keyEncryptionKey;
  return {
    ...world,
    events,
    peopleEvents,
    defence: createDefence({ throttle, database, audit, peopleEvents, now, encryptionKey }),
    encryptionKey,
    sessionKeeper: createSessionKeeper({ ...world, throttle }),
    audit,
    auditWatch: createAuditWatch({ database, logger, everyMs: config.auditCheckEveryMs }),
    callerOf: (c) => callerOf(c, config.gatewayAddresses),
    ownOrigin: new URL(issuer).origin,
    sessionLimits: config.sessions,
    keys,
    keyring,
    rotation: createKeyRotation({
      database,
      encryptionKey: config.keyEncryptionKey,
      everyDays: config.signingKeyDays,
      keys,
      audit,
      events,
      now,
    }),
    feed: createFeed({ ...world, databaseUrl: config.database.url, keyring, keys }),
    ingestKeys: createIngestKeyStore(database),
    issuer,
    audience,
    users: createUserStore(database),
    clients: createClientStore(database),
    assertions: createClientAssertions({ database, issuer, now }),
    passwords: createPasswords(config.passwords, world.passwordFunction),
    accessTokens: createAccessTokens({
      keys,
      issuer,
      audience,
      sessionIdleMs: config.sessions.idleMs,
      now,
      newId,
    }),
    verifier: createTokenVerifier({
      issuer,
      audience,
      now,
      isRevoked: keyring.isRevoked,
      jwksUrl: new URL("/.well-known/jwks.json", issuer).href,
      // The keys are ours: no request to ourselves for them.
      fetch: async () => Response.json({ keys: await keys.publicKeys() }),
    }),
  };
}
