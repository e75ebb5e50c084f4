import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter } from "@vitrine/kit/telemetry";
import { type GeneratorAction, isExpected, type Outcome } from "./outcome.ts";
import type { SeedReport } from "./catalogue.ts";

export interface Events {
  answered(action: GeneratorAction, outcome: Outcome, status: number): void;
  /** No answer came, or nothing was sent at all. */
  unanswered(action: GeneratorAction, outcome: "unreachable" | "skipped"): void;
  seeded(report: SeedReport): void;
  /** One line of what was sent since the last one. */
  report(): void;
}

export function createEvents(logger: Logger): Events {
  const requests = counter(metrics.generatorRequests);
  const tally = new Map<string, number>();
  const count = (action: GeneratorAction, outcome: Outcome) => {
    requests.add(1, { action, outcome });
    const key = `${action}_${outcome}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
  };
  return {
    answered: (action, outcome, status) => {
      count(action, outcome);
      if (!isExpected(action, status))
        logger.warn({ action: "generator.failed", extra: { action, status } }, `${action} was answered ${status}`);
    },
    unanswered: count,
    seeded: (report) => logger.info({ action: "generator.seeded", extra: { ...report } }, "the shop is filled"),
    report: () => {
      const sent = Object.fromEntries([...tally].toSorted(([a], [b]) => a.localeCompare(b)));
      tally.clear();
      logger.info({ action: "generator.report", extra: sent }, "sent since the last report");
    },
  };
}
