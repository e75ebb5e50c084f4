/** Keeps callers from a gateway that does not answer, for longer each time, until one call gets through. */
export interface Backoff {
  isResting(): boolean;
  failed(): void;
  succeeded(): void;
}

const firstMs = 250;
const maxMs = 10_000;

/** @param now milliseconds of any clock that does not jump */
export function createBackoff(now: () => number): Backoff {
  let restMs = 0;
  let until = Number.NEGATIVE_INFINITY;
  return {
    isResting: () => now() < until,
    failed: () => {
      // Calls that were under way together fail together: they count as one failure.
      if (now() < until) return;
      restMs = Math.min(Math.max(restMs * 2, firstMs), maxMs);
      until = now() + restMs;
    },
    succeeded: () => {
      restMs = 0;
      until = Number.NEGATIVE_INFINITY;
    },
  };
}
