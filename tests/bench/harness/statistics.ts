/** The middle of repeated measurements and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError when there is nothing to summarise */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new RangeError("no measurements to summarise");
  }
  return { median: (low + high) / 2, min, max };
}

/** Combines two series round by round: noise that lasts longer than a round touches both sides of a pair. */
export function paired(
  values: readonly number[],
  baseline: readonly number[],
  combine: (value: number, base: number) => number,
): Spread {
  if (values.length !== baseline.length) throw new RangeError("both series need a value of every round");
  return spreadOf(values.map((value, round) => combine(value, baseline[round] ?? Number.NaN)));
}
