import { type Backoff, backoffMs } from "./backoff.ts";

/** Of a target that fails, whatever the message: until then it is left alone. */
const targetBackoff: Backoff = { first: 1_000, longest: 30_000 };

/** Which targets are left alone for now, by id. In this process only: another finds out for itself. */
export interface TargetHolds {
  /** A message reached it. */
  release(targetId: string): void;
  /** It failed, and wants to be left alone for `retryAfterMs` if it said so. */
  hold(targetId: string, now: number, retryAfterMs?: number): void;
  held(now: number): readonly string[];
  /** Milliseconds until the next one is free; `undefined` where none is held. */
  untilRelease(now: number): number | undefined;
}

/**
 * A sink that is down costs one attempt in half a minute, not one per message: what was never tried meanwhile is sent as
 * soon as the first attempt succeeds.
 */
export function createTargetHolds(random: () => number): TargetHolds {
  const holds = new Map<string, { failures: number; until: number }>();
  return {
    release: (targetId) => {
      holds.delete(targetId);
    },
    hold: (targetId, now, retryAfterMs = 0) => {
      const failures = (holds.get(targetId)?.failures ?? 0) + 1;
      const waitMs = Math.max(retryAfterMs, backoffMs(targetBackoff, failures, random));
      holds.set(targetId, { failures, until: now + waitMs });
    },
    held: (now) => [...holds].flatMap(([targetId, { until }]) => (until > now ? [targetId] : [])),
    untilRelease: (now) => {
      const waits = [...holds.values()].flatMap(({ until }) => (until > now ? [until - now] : []));
      return waits.length === 0 ? undefined : Math.min(...waits);
    },
  };
}
