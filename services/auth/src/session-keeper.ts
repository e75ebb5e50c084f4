import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { observe } from "@vitrine/kit/telemetry";
import { repeated, type Repeated } from "./repeated.ts";
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

/** Counts live sessions and removes what is over for long, every half minute. */
export type SessionKeeper = Repeated;

const everyMs = 30_000;
/** What is over stays as long as its owner may ask what it was. */
const keptMs = 7 * 86_400_000;

export function createSessionKeeper({ database, logger, throttle, now }: SessionKeeperOptions): SessionKeeper {
  const store = createSessionStore(database);
  let live: number | undefined;

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

  return repeated(keep, everyMs);
}
