import { context } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { pause } from "../pause.ts";
import type { Database } from "../postgres/database.ts";
import type { Effect, Effects } from "./faults.ts";

/** A transaction may idle for thirty seconds: what holds one lets go of it before and takes another. */
const holdMs = 15_000;
const retryMs = 500;
/** Between two stretches of a lock others get a turn. */
const turnShare = 0.1;

/**
 * What faults of a service with a database do by themselves. None of it leaves spans: it is not what is observed.
 * @param lock a statement that locks the rows most requests need, such as `select … for update`
 */
export function databaseEffects(database: Database, lock: string): Effects {
  return {
    pool_exhaustion: ({ leave }, signal) =>
      unseen(async () => {
        const taken = Math.max(0, database.maxConnections - leave);
        await Promise.all(Array.from({ length: taken }, () => holdConnection(database, signal)));
      }),
    lock_contention: ({ holdMs: stretchMs }, signal) =>
      unseen(() =>
        again(signal, async () => {
          await database.transaction(async (tx) => {
            await tx.query(lock);
            await pause(stretchMs, signal);
          });
          await pause(stretchMs * turnShare, signal);
        }),
      ),
    memory_pressure: holdMemory,
  };
}

function holdConnection(database: Database, signal: AbortSignal): Promise<void> {
  return again(signal, () => database.transaction(() => pause(holdMs, signal)));
}

const chunkBytes = 8 * 1_048_576;

/** Every page is written to: memory that is merely asked for does not count as used. */
const holdMemory: Effect<"memory_pressure"> = async ({ megabytes }, signal) => {
  const held: Uint8Array[] = [];
  for (let bytes = 0; bytes < megabytes * 1_048_576 && !signal.aborted; bytes += chunkBytes) {
    held.push(new Uint8Array(chunkBytes).fill(1));
    await Bun.sleep(0);
  }
  const ended = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => ended.resolve());
  if (signal.aborted) ended.resolve();
  await ended.promise;
  held.length = 0;
  // The next collection may be minutes away in a service that does little.
  Bun.gc(true);
};

/** Goes on while the database is away, as the fault is there to be recovered from. */
async function again(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => pause(retryMs, signal));
  }
}

function unseen(work: () => Promise<void>): Promise<void> {
  return context.with(suppressTracing(context.active()), work);
}
