/** Marks of an axis of times, in seconds since the epoch: the clock, and where a day begins its date. UTC, as all times. */
export function momentsOf(splits: readonly number[]): string[] {
  return splits.map((seconds, at) => {
    const text = new Date(seconds * 1_000).toISOString();
    const before = splits[at - 1];
    const sameDay =
      before === undefined
        ? !isMidnight(seconds)
        : Math.floor(before / daySeconds) === Math.floor(seconds / daySeconds);
    return sameDay ? text.slice(11, 16) : text.slice(5, 10);
  });
}

const daySeconds = 86_400;

function isMidnight(seconds: number): boolean {
  return seconds % daySeconds === 0;
}
