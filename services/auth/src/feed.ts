import type { FeedAnswer } from "@vitrine/contracts/feed";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { type Watch, watchDatabase } from "@vitrine/kit/postgres/watch";
import type { Keyring } from "@vitrine/kit/tokens/keyring";
import type { KeyRing } from "./key-ring.ts";
import { createFeedStore, newestSeq } from "./store/feed.ts";

export interface FeedOptions {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** What this process verifies by; kept in step like any gateway's. */
  readonly keyring: Keyring;
  /** What this process signs by: read anew as soon as a key was taken back. */
  readonly keys: Pick<KeyRing, "reload">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ends what waits, so that a stop does not have to. */
  readonly stopping: AbortSignal;
}

export interface Feed {
  /** Fills the keyring and begins to watch. @throws ServiceError `unavailable` */
  start(): Promise<void>;
  /** News after `after`, waiting up to `waitMs` for some; everything live without `after`. */
  read(after: number | undefined, waitMs: number, gone: AbortSignal): Promise<FeedAnswer>;
  /**
   * Brings this process's own keyring up to date: a route that revoked something calls it after the commit, so that its
   * answer is true here at once. Never throws: what is committed counts, and the watch tells it as well.
   */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

const channel = "vitrine_auth_feed";
const pruneEveryMs = 600_000;

export function createFeed({ database, databaseUrl, logger, keyring, keys, now, stopping }: FeedOptions): Feed {
  const store = createFeedStore(database);
  const waiting = new Set<() => void>();
  let newest = 0;
  let applied: number | undefined;
  let watch: Watch | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let catchingUp: Promise<void> = Promise.resolve();

  async function apply(): Promise<void> {
    const answer = await store.read(applied, now());
    keyring.apply(answer);
    applied = answer.seq;
    // Failing is harmless: what it signs meanwhile is refused, and it looks by itself every few seconds.
    if (answer.revocations.some(({ kind }) => kind === "signing_key")) await keys.reload().catch(() => undefined);
    if (!answer.snapshot && answer.revocations.length + answer.keys.length > 0) await apply();
  }

  /** One after the other: each reads from where the one before ended, and one asked for later sees later commits. */
  function catchUp(): Promise<void> {
    catchingUp = catchingUp.catch(() => undefined).then(apply);
    return catchingUp;
  }

  function onSeq(value: string): Promise<void> {
    newest = Number(value);
    for (const wake of waiting) wake();
    return catchUp();
  }

  /** Resolves when there is something after `after`, when the time is over, when the follower or the service goes. */
  function untilNews(after: number, waitMs: number, gone: AbortSignal): Promise<void> {
    if (newest > after || waitMs === 0 || gone.aborted || stopping.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      if (newest > after) done();
    };
    const done = () => {
      clearTimeout(timeout);
      waiting.delete(wake);
      gone.removeEventListener("abort", done);
      stopping.removeEventListener("abort", done);
      resolve();
    };
    const timeout = setTimeout(done, waitMs);
    waiting.add(wake);
    gone.addEventListener("abort", done);
    stopping.addEventListener("abort", done);
    return promise;
  }

  return {
    start: async () => {
      await catchUp();
      watch ??= watchDatabase({ url: databaseUrl, service: "auth", logger, channel, probe: newestSeq, onValue: onSeq });
      // Failing is harmless: the next round removes what this one left.
      timer ??= setInterval(() => void store.prune(now()).catch(() => undefined), pruneEveryMs);
      timer.unref();
    },
    read: async (after, waitMs, gone) => {
      if (after !== undefined) await untilNews(after, waitMs, gone);
      return await store.read(after, now());
    },
    catchUp: () => catchUp().catch(() => undefined),
    close: async () => {
      clearInterval(timer);
      await watch?.close();
      await catchingUp.catch(() => undefined);
    },
  };
}
