import { EngineError } from "./error.ts";

const hoursOf = { h: 1, d: 24, w: 168 } as const;

export const defaultRetention = "7d";

/**
 * Hours of `7d`, `168h` or `2w`. At least a day, which is the least that Loki takes.
 *
 * @throws {EngineError} `invalid_retention`
 */
export function parseRetentionHours(text: string): number {
  const match = /^([1-9]\d{0,5})([hdw])$/.exec(text.trim());
  const [, count, unit] = match ?? [];
  const hours = unit === "h" || unit === "d" || unit === "w" ? Number(count) * hoursOf[unit] : 0;
  if (hours < 24) {
    throw new EngineError(
      "invalid_retention",
      `VITRINE_RETENTION is "${text}": give at least a day, as 168h, 7d or 1w`,
    );
  }
  return hours;
}
