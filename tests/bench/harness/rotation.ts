/**
 * The order of a round, by Williams' design: over as many rounds as there are items each stands once in every place and
 * comes once after each other one; of an odd number that needs twice the rounds. What ran before leaves its mark: caches,
 * garbage, a warm sink.
 */
export function rotated<T>(items: readonly T[], round: number): readonly T[] {
  const count = items.length;
  // 0, 1, last, 2, last but one, …: no two neighbours are equally far apart.
  const order = items.map((_, place) => (place % 2 === 1 ? (place + 1) / 2 : count - place / 2));
  const row = order.flatMap((at) => items.slice((at + round) % count).slice(0, 1));
  return Math.floor(round / count) % 2 === 1 ? row.toReversed() : row;
}
