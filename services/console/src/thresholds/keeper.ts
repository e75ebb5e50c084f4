import type { Logger } from "@vitrine/kit/log";
import { pause } from "@vitrine/kit/pause";
import type { Thresholds } from "./thresholds.ts";

const everyMs = 10_000;
const retryMs = 2_000;

export interface KeeperOptions {
  readonly thresholds: Pick<Thresholds, "refresh">;
  /** Brings the database to its newest form. */
  readonly migrate: () => Promise<void>;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/**
 * Prepares the database as soon as it is there, and looks again and again at what holds for everyone, so that every
 * process tells the same. Nobody waits for it: who looks for what is wrong is not kept out because a database is away.
 */
export async function keepThresholds({ thresholds, migrate, logger, stopping }: KeeperOptions): Promise<void> {
  let prepared = false;
  let told = false;
  while (!stopping.aborted) {
    try {
      if (!prepared) await migrate();
      prepared = true;
      await thresholds.refresh();
      told = false;
    } catch (err) {
      if (!told) logger.warn({ action: "service.not_ready", err }, "thresholds cannot be read; the known ones hold");
      told = true;
    }
    await pause(told ? retryMs : everyMs, stopping);
  }
}
