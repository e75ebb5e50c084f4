import { describe, expect, test } from "bun:test";
import { ServiceError } from "@vitrine/kit/errors";
import { snap } from "../testing/snappy.ts";
import { unsnap } from "./snappy.ts";

const MiB = 1_048_576;

function random(bytes: number): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  return content;
}

const texts: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", new Uint8Array()],
  ["one byte", Uint8Array.of(7)],
  ["what repeats itself at once", Buffer.from("a".repeat(100_000))],
  ["what repeats itself later", Buffer.from("the same line of a log, over and over\n".repeat(9_000))],
  ["what does not repeat itself", random(200_000)],
  ["a little of both", Buffer.concat([random(70_000), Buffer.from("x".repeat(70_000)), random(3)])],
];

test.each(texts)("%s comes out as it went in", (_, content) => {
  expect(Buffer.compare(unsnap(snap(content), MiB), content)).toBe(0);
});

test("copies of every kind are understood", () => {
  // Literal "abcd"; four again by a short, a two-byte and a four-byte offset; then a literal of a long form.
  const block = [17, 3 << 2, 97, 98, 99, 100, 1, 4, (3 << 2) | 2, 4, 0, (3 << 2) | 3, 4, 0, 0, 0, 60 << 2, 0, 33];
  expect(Buffer.from(unsnap(Uint8Array.from(block), MiB)).toString()).toBe("abcdabcdabcdabcd!");
});

describe("is refused before memory is taken", () => {
  test.each([
    ["a bomb that says so", [0xff, 0xff, 0xff, 0xff, 0x0f, 0], "payload_too_large"],
    ["a length nothing of its size can unpack to", [0x80, 0x80, 0x40, 0, 97], "invalid_request"],
    ["a length without end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "invalid_request"],
    ["nothing at all", [], "invalid_request"],
    ["a literal cut short", [4, 3 << 2, 97], "invalid_request"],
    ["a literal past its length", [2, 3 << 2, 97, 98, 99, 100], "invalid_request"],
    ["a copy from before the start", [8, 3 << 2, 97, 98, 99, 100, 1, 9], "invalid_request"],
    ["a copy of nothing", [8, 3 << 2, 97, 98, 99, 100, 1, 0], "invalid_request"],
    ["a copy past its length", [5, 3 << 2, 97, 98, 99, 100, 1, 4], "invalid_request"],
    ["a copy without its offset", [8, 3 << 2, 97, 98, 99, 100, 2, 4], "invalid_request"],
    ["less than it says", [9, 3 << 2, 97, 98, 99, 100, 1, 4], "invalid_request"],
  ])("%s", (_, block, code) => {
    expect(() => unsnap(Uint8Array.from(block), 4 * MiB)).toThrow(expect.objectContaining({ code }));
  });

  test("whatever bytes come, it answers or refuses, and never takes more than the cap", () => {
    for (let round = 0; round < 3_000; round += 1) {
      const block = random(1 + (round % 90));
      try {
        expect(unsnap(block, 65_536).byteLength).toBeLessThanOrEqual(65_536);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
      }
    }
  });
});
