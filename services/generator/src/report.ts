import type { Played, ScenarioName, SentReport } from "@vitrine/contracts/scenarios";

interface Count {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly scenario: ScenarioName;
  count: number;
  firstMs: number;
  lastMs: number;
}

interface Minute {
  sent: number;
  answered: number;
  failed: number;
}

/** What was sent, as it was sent: nothing is added that did not leave this process. */
export interface Report {
  /** A request has ended; `status` is 0 when no answer came. */
  sent(request: { readonly method: string; readonly route: string }, status: number): void;
  /** An arrival sent nothing. */
  skipped(): void;
  read(played: readonly Played[]): SentReport;
}

const minuteMs = 60_000;
const keptMinutes = 120;

/** @param now milliseconds since the epoch */
export function createReport(now: () => number, scenario: () => ScenarioName): Report {
  const startedMs = now();
  const counts = new Map<string, Count>();
  const minutes = new Map<number, Minute>();
  let skipped = 0;

  function minuteOf(ms: number): Minute {
    const at = Math.floor(ms / minuteMs);
    const known = minutes.get(at);
    if (known !== undefined) return known;
    const minute = { sent: 0, answered: 0, failed: 0 };
    minutes.set(at, minute);
    if (minutes.size > keptMinutes) minutes.delete(Math.min(...minutes.keys()));
    return minute;
  }

  return {
    sent: ({ method, route }, status) => {
      const ms = now();
      const name = scenario();
      const key = `${method} ${route} ${status} ${name}`;
      const count = counts.get(key);
      if (count === undefined)
        counts.set(key, { method, route, status, scenario: name, count: 1, firstMs: ms, lastMs: ms });
      else {
        count.count += 1;
        count.lastMs = ms;
      }
      const minute = minuteOf(ms);
      minute.sent += 1;
      if (status > 0) minute.answered += 1;
      if (status >= 500) minute.failed += 1;
    },
    skipped: () => {
      skipped += 1;
    },
    read: (played) => ({
      startedAt: toTime(startedMs),
      now: toTime(now()),
      total: counts.values().reduce((sum, { count }) => sum + count, 0),
      skipped,
      played: [...played],
      counts: [...counts.values()].map(({ firstMs, lastMs, ...count }) => ({
        method: count.method,
        route: count.route,
        status: count.status,
        scenario: count.scenario,
        count: count.count,
        firstAt: toTime(firstMs),
        lastAt: toTime(lastMs),
      })),
      minutes: [...minutes]
        .toSorted(([a], [b]) => a - b)
        .map(([at, { sent, answered, failed }]) => ({ at: toTime(at * minuteMs), sent, answered, failed })),
    }),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
