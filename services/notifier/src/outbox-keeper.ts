import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { observe } from "@vitrine/kit/telemetry";
import { pruneAlerts } from "./store/alerts.ts";
import { pruneDeliveries } from "./store/deliveries.ts";
import { type OutboxState, readOutboxState } from "./store/outbox-state.ts";

export interface OutboxKeeperOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Days after which history and what was delivered or given up is removed. */
  readonly historyDays: number;
  /** Keeps in memory what the next outage asks for, and stores what the last one left. */
  readonly refresh: () => Promise<void>;
}

export interface OutboxKeeper {
  /** Counts what waits and removes what is old, now and every few seconds. */
  start(): void;
  round(): Promise<void>;
  close(): Promise<void>;
}

const everyMs = 10_000;
const pruneEveryMs = 3_600_000;
const dayMs = 86_400_000;

export function createOutboxKeeper(options: OutboxKeeperOptions): OutboxKeeper {
  const { database, logger, now, historyDays, refresh } = options;
  let state: OutboxState | undefined;
  let prunedAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setInterval> | undefined;
  let running: Promise<void> = Promise.resolve();

  observe(metrics.notifierMessages, (report) => {
    if (state === undefined) return;
    report(state.due, { state: "due" });
    report(state.held, { state: "held" });
    report(state.dead, { state: "dead" });
  });
  observe(metrics.notifierOldestDue, (report) => {
    for (const [target, seconds] of state?.oldestDueSeconds ?? []) report(seconds, { target });
  });

  async function round(): Promise<void> {
    try {
      await refresh();
      state = await readOutboxState(database, now());
      if (now() - prunedAt < pruneEveryMs) return;
      const before = now() - historyDays * dayMs;
      await pruneDeliveries(database, before);
      await pruneAlerts(database, before);
      prunedAt = now();
    } catch (err) {
      // A number that may be wrong is not reported; the next round has another try.
      state = undefined;
      logger.debug({ action: "notifier.outbox_failed", err }, "the outbox could not be counted");
    }
  }

  return {
    start: () => {
      running = round();
      timer ??= setInterval(() => {
        running = round();
      }, everyMs);
      timer.unref();
    },
    round,
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
