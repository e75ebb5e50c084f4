import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { takeBody } from "./body.ts";
import { createDeadlines, type Deadlines } from "./deadlines.ts";
import { freePassage } from "./limits/limits.ts";
import type { BodyRule } from "./routes/route.ts";

const MiB = 1_048_576;
const rule: BodyRule = {
  encodedBytes: 4 * MiB,
  decodedBytes: 8 * MiB,
  arriveMs: 20_000,
  encodings: ["identity", "gzip", "zstd", "snappy"],
  mediaTypes: ["application/json"],
};

interface Sent {
  readonly content?: Uint8Array<ArrayBuffer> | ReadableStream | null;
  readonly declared?: number;
  readonly headers?: Record<string, string>;
  readonly rule?: Partial<BodyRule>;
}

/** What becomes of a body, how often it was to wait for a place to be unpacked, and which deadlines are left. */
async function take({ content = null, declared = Number.NaN, headers = {}, rule: bounds = {} }: Sent) {
  let unpacked = 0;
  const passage = { ...freePassage, toUnpack: async () => void (unpacked += 1) };
  const real = createDeadlines();
  const open = new Set<object>();
  const deadlines: Deadlines = {
    within: (ms, late) => {
      const deadline = real.within(ms, late);
      const counted = {
        callOff: () => {
          open.delete(counted);
          deadline.callOff();
        },
      };
      open.add(counted);
      return counted;
    },
  };
  const request = new Request("http://gateway/v1/logs", {
    method: "POST",
    headers: { "content-type": "application/json", "transfer-encoding": "chunked", ...headers },
    body: content,
  });
  const body = takeBody({ request, declared, rule: { ...rule, ...bounds }, passage, deadlines });
  const [settled] = await Promise.allSettled([body]);
  const left = () => ({ unpacked, deadlines: open.size });
  if (settled?.status !== "fulfilled") return { bytes: undefined, error: settled?.reason as unknown, ...left() };
  const bytes = await new Response(settled.value.content).bytes().catch(() => undefined);
  const { value } = settled;
  return {
    bytes,
    known: value.length,
    received: value.received(),
    decoded: value.decoded(),
    fault: value.fault(),
    ...left(),
  };
}

const noise = Uint8Array.from({ length: 300_000 }, (_unused, at) => (at * at * 7_919) >> 3);
const zeros = new Uint8Array(3 * MiB);
const asStream = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream();
const packed = (name: "gzip" | "zstd", bytes: Uint8Array) =>
  Uint8Array.from(name === "gzip" ? gzipSync(bytes) : zstdCompressSync(bytes));

describe("a body", () => {
  const small = noise.slice(0, 1_000);
  const large = noise;

  test.each<[string, Sent, Uint8Array, number]>([
    ["that is small", { content: small, declared: 1_000 }, small, 0],
    ["that is large", { content: large, declared: 300_000 }, large, 0],
    ["of unknown length", { content: asStream(large) }, large, 0],
    ["that is empty", { content: null, declared: 0 }, new Uint8Array(), 0],
    ["that is not there", { content: null }, new Uint8Array(), 0],
    [
      "whose coding is its media type's own",
      { content: small, declared: 1_000, headers: { "content-encoding": "Snappy" } },
      small,
      0,
    ],
    [
      "small and zipped",
      { content: packed("gzip", small), declared: 1_000, headers: { "content-encoding": "gzip" } },
      small,
      0,
    ],
    [
      "small, zipped, and large unzipped",
      { content: packed("gzip", zeros), declared: 1_000, headers: { "content-encoding": " GZIP " } },
      zeros,
      1,
    ],
    [
      "small and of zstd",
      { content: packed("zstd", small), declared: 1_000, headers: { "content-encoding": "zstd" } },
      small,
      1,
    ],
    [
      "large and zipped",
      { content: packed("gzip", large), declared: 300_000, headers: { "content-encoding": "gzip" } },
      large,
      1,
    ],
    [
      "zipped and of unknown length",
      { content: asStream(packed("gzip", zeros)), headers: { "content-encoding": "gzip" } },
      zeros,
      1,
    ],
  ])(
    "%s is taken, and waits for a place to be unpacked where that takes memory",
    async (_, sent, content, unpacked) => {
      const taken = await take(sent);
      expect(taken).toMatchObject({ fault: undefined, decoded: content.byteLength, unpacked, deadlines: 0 });
      expect(taken.bytes?.byteLength).toBe(content.byteLength);
      expect(Buffer.compare(taken.bytes ?? new Uint8Array(), content)).toBe(0);
    },
  );

  test.each<[string, Sent, string]>([
    ["of a type the row does not take", { headers: { "content-type": "text/plain" } }, "unsupported_media_type"],
    ["of a coding the row does not take", { headers: { "content-encoding": "br" } }, "unsupported_encoding"],
    ["declared too large", { content: small, declared: 4 * MiB + 1 }, "too_large"],
    [
      "larger than it may be, whatever it declares",
      { content: small, declared: 10, rule: { encodedBytes: 999 } },
      "too_large",
    ],
    [
      "that unpacks to more than it may",
      {
        content: packed("gzip", zeros),
        declared: 10,
        headers: { "content-encoding": "gzip" },
        rule: { decodedBytes: MiB },
      },
      "too_large",
    ],
    [
      "that is not what it says",
      { content: small, declared: 1_000, headers: { "content-encoding": "gzip" } },
      "bad_encoding",
    ],
    [
      "in a doubtful transfer coding",
      { content: asStream(small), headers: { "transfer-encoding": ",chunked" } },
      "bad_encoding",
    ],
  ])("%s is refused", async (_, sent, reason) => {
    expect(await take(sent)).toMatchObject({ error: { reason }, deadlines: 0 });
  });

  test("as large as it may be is taken", async () => {
    expect(await take({ content: small, declared: 1_000, rule: { encodedBytes: 1_000 } })).toMatchObject({
      decoded: 1_000,
    });
  });

  test("that does not arrive in time is refused, and may break off afterwards", async () => {
    const body = Promise.withResolvers<never>();
    const content = new ReadableStream({ pull: () => body.promise });
    const taken = await take({ content, declared: 100, rule: { arriveMs: 10 } });
    expect(taken).toMatchObject({ error: { reason: "slow_body", status: 408 }, deadlines: 0 });
    body.reject(new Error("the client left"));
    await body.promise.catch(() => undefined);
  });

  test("that breaks off leaves no deadline", async () => {
    const broken = new Error("the client left");
    const content = new ReadableStream({ pull: (controller) => controller.error(broken) });
    expect(await take({ content, declared: 100 })).toMatchObject({ error: broken, deadlines: 0 });
  });
});
