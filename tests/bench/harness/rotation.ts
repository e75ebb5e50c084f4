/** The order of a round: each round starts one further, so that over the rounds no one is always first or last. */
export function rotated<T>(items: readonly T[], round: number): readonly T[] {
  const at = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
