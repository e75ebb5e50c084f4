import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { seal, SealError, unseal } from "./seal.ts";

const key = randomBytes(32);

test("what is sealed opens with the same key and context, and no two seals are alike", () => {
  const sealed = seal(key, "the text", "row 1");
  expect(unseal(key, sealed, "row 1")).toBe("the text");
  expect(Buffer.from(sealed).toString("latin1")).not.toContain("the text");
  expect(seal(key, "the text", "row 1")).not.toEqual(sealed);
});

test("another key, another context, altered, cut and foreign bytes do not open", () => {
  const sealed = seal(key, "the text", "row 1");
  const altered = Uint8Array.from(sealed);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  expect(() => unseal(randomBytes(32), sealed, "row 1")).toThrow(SealError);
  expect(() => unseal(key, sealed, "row 2")).toThrow(SealError);
  expect(() => unseal(key, altered, "row 1")).toThrow(SealError);
  expect(() => unseal(key, sealed.subarray(0, 20), "row 1")).toThrow(SealError);
  expect(() => unseal(key, randomBytes(64).fill(2, 0, 1), "row 1")).toThrow(SealError);
});
