import { describe, expect, test } from "bun:test";
import { bytes, count, duration, instant, money, percent, visible } from "./format.tsx";

test.each([
  [0, "0"],
  [0.0421, "42 µs"],
  [3.276, "3.28 ms"],
  [53.2, "53 ms"],
  [2_240, "2.24 s"],
  [125_000, "2 min 5 s"],
  [7_500_000, "2 h 5 min"],
  [200_000_000, "2 d 7 h"],
  [Number.NaN, "–"],
])("%d ms are written %p", (ms, text) => expect(duration(ms)).toBe(text));

test("numbers, shares, sizes and amounts are written as people read them", () => {
  expect([count(1_234), count(0.2831), count(Number.NaN)]).toEqual(["1,234", "0.283", "–"]);
  expect([percent(1), percent(0.0016), percent(0.123), percent(Number.POSITIVE_INFINITY)]).toEqual([
    "100 %",
    "0.16 %",
    "12.3 %",
    "–",
  ]);
  expect([bytes(512), bytes(33_554_432)]).toEqual(["512 B", "32 MiB"]);
  expect(money(1_250_000, "EUR")).toBe("€12,500");
  expect([instant(0), instant(Number.NaN)]).toEqual(["1970-01-01 00:00:00.000", "–"]);
});

describe("text from outside", () => {
  test("shows what hides, reorders or imitates other characters", () => {
    expect(visible("a\u202Eb\u200Bc\u0000d\u2066")).toBe("a⟨202E⟩b⟨200B⟩c⟨0000⟩d⟨2066⟩");
    expect(visible("two\nlines\tand é ابت 漢")).toBe("two\nlines\tand é ابت 漢");
  });

  test("is cut where it is too long, and says by how much", () => {
    expect(visible("x".repeat(1_000_000), 10)).toBe("xxxxxxxxxx … 999,990 more characters");
    expect(visible("😀😀", 3)).toBe("😀\uFFFD … 1 more characters");
  });
});
