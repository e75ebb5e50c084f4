import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { observe } from "@vitrine/kit/telemetry";
import { createDeviceStore } from "./store/devices.ts";
import { createSecondFactorStore } from "./store/second-factor.ts";
import { createSessionStore } from "./store/sessions.ts";
import type { Throttle } from "./throttle.ts";

export interface SessionKeeperOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly throttle: Throttle;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface SessionKeeper {
  /** Counts live sessions and removes what is over for long, now and every half minute. */
  start(): void;
  close(): Promise<void>;
}

const everyMs = 30_000;
/** What is over stays as long as its owner may ask what it was. */
const keptMs = 7 * 86_400_000;

export function createSessionKeeper({ database, logger, throttle, now }: SessionKeeperOptions): SessionKeeper {
  const store = createSessionStore(database);
  let live: number | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let round: Promise<void> = Promise.resolve();

  observe(metrics.authActiveSessions, (report) => {
    if (live !== undefined) report(live);
  });

  async function keep(): Promise<void> {
    try {
      await store.prune(now() - keptMs);
      await createSecondFactorStore(database).pruneChallenges(now());
      await createDeviceStore(database).prune(now() - keptMs);
      await throttle.prune();
      live = await store.countLive(now());
    } catch (err) {
      // A number that may be wrong is not reported; the next round has another try.
      live = undefined;
      logger.debug({ action: "http.error", err }, "sessions could not be counted");
    }
  }

  return {
    start: () => {
      const next = (): void => {
        round = keep();
      };
      next();
      timer ??= setInterval(next, everyMs);
      timer.unref();
    },
    close: async () => {
      clearInterval(timer);
      await round;
    },
  };
}
