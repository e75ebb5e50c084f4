/**
 * How busy a moment of the day is, 1 on the average of a day: quiet at night, busier by noon, busiest in the evening.
 * @param hour from 0 to 24
 */
export function dayFactor(hour: number): number {
  const turn = (hours: number) => (2 * Math.PI * hours) / 24;
  return 1 + 0.55 * Math.cos(turn(hour - 17)) + 0.2 * Math.cos(2 * turn(hour - 20));
}

const firstHour = 9;

/** The hour it is in a world whose days last `dayMinutes`, `elapsedMs` after it began at nine in the morning. */
export function hourAfter(elapsedMs: number, dayMinutes: number): number {
  return (firstHour + (elapsedMs / 60_000 / dayMinutes) * 24) % 24;
}
