import type { QuietHours } from "@vitrine/contracts/targets";

/** Windows that follow upon each other without a pause: a week of them, and the one it began in. */
const maxSteps = 8;

/**
 * When the quiet time ends that `at` falls into, in milliseconds since the epoch; `at` itself where it is not quiet.
 * Windows are on the wall clock of the time zone: one from 22:00 to 07:00 is an hour shorter in the night in which
 * clocks are put forward. A quiet time that never ends, such as all of the week, ends after a week.
 */
export function quietUntil(quiet: QuietHours, at: number): number {
  let until = at;
  for (let step = 0; step < maxSteps; step += 1) {
    const end = windowEnd(quiet, until);
    if (end === undefined) return until;
    until = end;
  }
  return until;
}

function windowEnd(quiet: QuietHours, at: number): number | undefined {
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(quiet.timeZone).toPlainDate();
  const ends: number[] = [];
  // A window that began yesterday may reach into today.
  for (const day of [today.subtract({ days: 1 }), today]) {
    for (const { days, from, to } of quiet.windows) {
      if (!days.some((name) => dayNumbers[name] === day.dayOfWeek)) continue;
      const start = instantOf(day, from, quiet.timeZone);
      const end = instantOf(to > from ? day : day.add({ days: 1 }), to, quiet.timeZone);
      if (start <= at && at < end) ends.push(end);
    }
  }
  return ends.length === 0 ? undefined : Math.max(...ends);
}

const dayNumbers: Readonly<Record<QuietHours["windows"][number]["days"][number], number>> = {
  monday: 1,
  tuesday: 2,
  wednesday: 3,
  thursday: 4,
  friday: 5,
  saturday: 6,
  sunday: 7,
};

function instantOf(day: Temporal.PlainDate, time: string, timeZone: string): number {
  const [date, plainTime] = time === "24:00" ? [day.add({ days: 1 }), "00:00"] : [day, time];
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
}
