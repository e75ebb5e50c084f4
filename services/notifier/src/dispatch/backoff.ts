/** Milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/**
 * Milliseconds until the next attempt after `failures` of them: doubling, and half of it by chance, so that what failed
 * together does not come back together.
 *
 * @param random a value in [0, 1)
 */
export function backoffMs({ first, longest }: Backoff, failures: number, random: () => number): number {
  const full = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
