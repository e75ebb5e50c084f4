import { metrics, thresholdNames } from "@vitrine/contracts/telemetry";
import {
  type ThresholdChange,
  type ThresholdList,
  type ThresholdName,
  thresholds as definitions,
} from "@vitrine/contracts/thresholds";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { observe } from "@vitrine/kit/telemetry";
import { within } from "../within.ts";
import { everyone, historyFor, putValue, type Values, valuesOf } from "./store.ts";

export interface Thresholds {
  /** What holds for everyone and for one person, and how it came to be. */
  list(person: string): Promise<ThresholdList>;
  /** What holds on the pages of one person: their own, or else everyone's. Of a database that is away, what is known. */
  holdsFor(person: string): Promise<(name: ThresholdName) => number>;
  change(change: ThresholdChange, person: string): Promise<void>;
  /** Reads anew what holds for everyone: another process may have changed it. */
  refresh(): Promise<void>;
  /** What alerts compare with: told as the metric `vitrine.threshold`. */
  told(): ReadonlyMap<ThresholdName, number>;
}

export interface ThresholdsOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
}

const shownChanges = 100;
/** A page does not wait longer to learn whose threshold holds. */
const patienceMs = 300;

export function createThresholds({ database, logger, now, newId }: ThresholdsOptions): Thresholds {
  // Before the first look at the database nothing is told: the alerts keep what they were told last.
  let known: Values | undefined;
  const refresh = async (): Promise<void> => {
    known = await valuesOf(database, everyone);
  };
  return {
    refresh,
    holdsFor: async (person) => {
      const own = await within(
        valuesOf(database, person).catch(() => undefined),
        patienceMs,
      );
      return (name) => own?.get(name) ?? known?.get(name) ?? definitions[name].default;
    },
    list: async (person) => {
      const [common, own, history] = await Promise.all([
        valuesOf(database, everyone),
        valuesOf(database, person),
        historyFor(database, person, shownChanges),
      ]);
      known = common;
      return {
        items: thresholdNames.map((name) => ({
          name,
          ...definitions[name],
          alerts: [...definitions[name].alerts],
          everyone: common.get(name) ?? null,
          own: own.get(name) ?? null,
        })),
        history: [...history],
      };
    },
    change: async ({ name, scope, value }, person) => {
      const owner = scope === "everyone" ? everyone : person;
      const changed = await database.transaction((tx) =>
        putValue(tx, { id: newId(), owner, name, value, by: person, at: new Date(now()) }),
      );
      if (!changed) return;
      logger.info(
        { action: "threshold.changed", user: person, extra: { threshold: name, scope, value } },
        "a threshold was changed",
      );
      if (scope === "everyone") await refresh();
    },
    // All of them, defaults too: where one was taken back, its default holds at once.
    told: () =>
      known === undefined
        ? new Map()
        : new Map(thresholdNames.map((name) => [name, known?.get(name) ?? definitions[name].default])),
  };
}

/** Tells what holds for everyone with the metrics. Whose own thresholds are what is no metric: ids are no labels. */
export function exportThresholds(thresholds: Pick<Thresholds, "told">): void {
  observe(metrics.vitrineThreshold, (report) => {
    for (const [name, value] of thresholds.told()) report(value, { "threshold.name": name });
  });
}
