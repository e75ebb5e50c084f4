import { expect, test } from "bun:test";
import { parseRetentionHours } from "./retention.ts";

test.each([
  ["7d", 168],
  ["168h", 168],
  ["1w", 168],
  [" 24h ", 24],
  ["1d", 24],
])("%p is %p hours", (text, hours) => {
  expect(parseRetentionHours(text)).toBe(hours);
});

test.each(["", "7", "23h", "0d", "-7d", "7 d", "1.5d", "7days", "1d12h"])(
  "%p is refused with the variable's name",
  (text) => {
    expect(() => parseRetentionHours(text)).toThrow("VITRINE_RETENTION");
  },
);
