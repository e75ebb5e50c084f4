import { expect, test } from "bun:test";
import { isIngestKey, makeIngestKey, parseIngestKey } from "./ingest-key.ts";

test("a key is found again by its text, and no two are alike", () => {
  const made = Array.from({ length: 100 }, () => makeIngestKey());
  for (const { id, key, hash } of made) {
    expect(key).toMatch(/^vik_[0-9a-f]{16}_[0-9A-Za-z]{49}$/);
    expect(isIngestKey(key)).toBe(true);
    expect(parseIngestKey(key)).toEqual({ id, hash });
  }
  expect(new Set(made.map(({ key }) => key.slice(21, 64))).size).toBe(100);
});

test("a key with one character changed is no key", () => {
  const { key } = makeIngestKey();
  for (let at = 0; at < key.length; at += 1) {
    const other = key.charAt(at) === "7" ? "8" : "7";
    expect(parseIngestKey(key.slice(0, at) + other + key.slice(at + 1))).toBeUndefined();
  }
});

test.each(["", "vik_", "vik_0123456789abcdef_short", "eyJhbGciOiJFZERTQSJ9.e30.c2ln"])("%p is no key", (text) => {
  expect(parseIngestKey(text)).toBeUndefined();
});

test("surrounding text makes it no key", () => {
  const { key } = makeIngestKey();
  for (const text of [` ${key}`, `${key} `, `${key}\n`, `${key}=`, key.toUpperCase()])
    expect(parseIngestKey(text)).toBeUndefined();
});

test("an id of another form is refused", () => {
  expect(() => makeIngestKey("ABCDEF")).toThrow(TypeError);
});
