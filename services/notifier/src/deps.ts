import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Config } from "./config.ts";
import { createDispatcher, type Dispatcher } from "./dispatch/dispatcher.ts";
import { createJournal } from "./direct/journal.ts";
import { createMemory } from "./direct/memory.ts";
import { createReceiver, type Receiver } from "./direct/receiver.ts";
import { createTeller, type Teller } from "./direct/teller.ts";
import { createEvents, type Events } from "./events.ts";
import { createRunbooks, type Runbooks } from "./message/runbooks.ts";
import { createOutboxKeeper, type OutboxKeeper } from "./outbox-keeper.ts";
import type { SendContext } from "./send/http.ts";
import { createSender, type Send } from "./send/send.ts";
import { createTargets, type Targets } from "./targets.ts";

/** What the process gives, and tests give otherwise. */
export interface World extends Partial<Pick<SendContext, "timeoutMs" | "ca">> {
  readonly config: Config;
  readonly database: Database;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A value in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly resolve?: SendContext["policy"]["resolve"];
}

export interface Deps extends World {
  readonly publicUrl: string;
  readonly events: Events;
  readonly runbooks: Runbooks;
  readonly targets: Targets;
  readonly send: Send;
  readonly dispatcher: Dispatcher;
  readonly teller: Teller;
  readonly receiver: Receiver;
  readonly keeper: OutboxKeeper;
}

/** Of HTTP below the database's own limit for a statement that waits for the message's lock; mail servers are slow. */
const attemptTimeoutMs = { http: 9_000, mail: 25_000 };

/** Everything the service is made of. */
export function createDeps(world: World): Deps {
  const { config, database, logger, now, ca, resolve } = world;
  const { keyEncryptionKey: encryptionKey, publicUrl, historyDays } = config;
  const events = createEvents(logger);
  const runbooks = createRunbooks(config.runbooksDir);
  const send = createSender({
    encryptionKey,
    publicUrl,
    runbooks,
    now,
    timeoutMs: world.timeoutMs ?? attemptTimeoutMs,
    policy: { allowed: config.allowedNetworks, ...(resolve === undefined ? {} : { resolve }) },
    ...(ca === undefined ? {} : { ca }),
  });
  const targets = createTargets({ ...world, encryptionKey });
  const memory = createMemory(targets.ofPresets(config.presetTargets));
  const journal = createJournal();
  const teller = createTeller({ ...world, memory, journal, send, events });
  const receiver = createReceiver({ ...world, memory, journal, teller, events });
  return {
    ...world,
    publicUrl,
    events,
    runbooks,
    send,
    targets,
    dispatcher: createDispatcher({ ...world, send, events, ended: (id) => memory.ended(id) }),
    teller,
    receiver,
    keeper: createOutboxKeeper({ database, logger, now, historyDays, refresh: () => receiver.refresh() }),
  };
}
