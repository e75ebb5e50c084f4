import { describe, expect, test } from "bun:test";
import { findStep, otpauthUri, stepAt, toBase32, totpCode } from "./totp.ts";

const seed = Buffer.from("12345678901234567890");

describe("codes", () => {
  test.each([
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ])("at %d seconds are those of RFC 6238, appendix B", (seconds, code) => {
    expect(totpCode(seed, stepAt(seconds * 1_000), 8)).toBe(code);
  });

  test.each(
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"].map(
      (code, counter) => [counter, code] as const,
    ),
  )("of counter %d are those of RFC 4226, appendix D", (counter, code) => {
    expect(totpCode(seed, counter)).toBe(code);
  });
});

describe("a code is taken", () => {
  const atMs = 1_111_111_111_000;
  const current = stepAt(atMs);

  test.each([
    [-2, undefined],
    [-1, current - 1],
    [0, current],
    [1, current + 1],
    [2, undefined],
  ])("of the step %d from now: %p", (offset, step) => {
    expect(findStep(seed, totpCode(seed, current + offset), atMs, 0)).toBe(step);
  });

  test("once: not of the last step that was taken, nor of one before it", () => {
    const code = totpCode(seed, current);
    expect(findStep(seed, code, atMs, current - 1)).toBe(current);
    expect(findStep(seed, code, atMs, current)).toBeUndefined();
    expect(findStep(seed, totpCode(seed, current - 1), atMs, current)).toBeUndefined();
  });

  test.each(["", "12345", "1234567", " 123456", "١٢٣٤٥٦", "12345a", "-12345"])("not in another form: %p", (code) => {
    expect(findStep(seed, code, atMs, 0)).toBeUndefined();
  });
});

test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("base32 of %p is that of RFC 4648 §10 without padding", (text, encoded) => {
  expect(toBase32(Buffer.from(text))).toBe(encoded);
});

test("the otpauth address names issuer, account, seed and how codes are made", () => {
  expect(otpauthUri(seed, "Vitrine", "some.body")).toBe(
    "otpauth://totp/Vitrine:some.body?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vitrine&algorithm=SHA1&digits=6&period=30",
  );
});
