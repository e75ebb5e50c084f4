import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { declaredBytes, takeBody } from "./body.ts";
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

const small = Uint8Array.from(randomBytes(1_000));
const large = Uint8Array.from(randomBytes(400_000));
const zeros = new Uint8Array(3 * MiB);
const nothing = new Uint8Array();
const inChunks = (bytes: Uint8Array<ArrayBuffer>) => ({ content: new Blob([bytes]).stream() });
const whole = (content: Uint8Array<ArrayBuffer>) => ({ content, declared: content.byteLength });
const gzip = { headers: { "content-encoding": "gzip" } };
const zstd = { headers: { "content-encoding": "ZSTD" } };
const gzipped = (bytes: Uint8Array) => Uint8Array.from(gzipSync(bytes));
const zstdOf = (bytes: Uint8Array) => Uint8Array.from(zstdCompressSync(bytes));

describe("a body", () => {
  test.each<[string, Sent, Uint8Array, number]>([
    ["that is small", whole(small), small, 0],
    ["that is large", whole(large), large, 0],
    ["of unknown length", inChunks(large), large, 0],
    ["that is empty", { content: null, declared: 0 }, nothing, 0],
    ["that is not there", { content: null }, nothing, 0],
    ["whose coding is its media type's own", { ...whole(small), headers: { "content-encoding": "Snappy" } }, small, 0],
    ["small and zipped", { ...whole(gzipped(small)), ...gzip }, small, 0],
    ["small, zipped, and large unzipped", { ...whole(gzipped(zeros)), ...gzip }, zeros, 1],
    ["small and of zstd", { ...whole(zstdOf(small)), ...zstd }, small, 1],
    ["large and zipped", { ...whole(gzipped(large)), ...gzip }, large, 1],
    ["zipped and of unknown length", { ...inChunks(gzipped(zeros)), ...gzip }, zeros, 1],
  ])("%s is taken, and waits to be unpacked where that takes memory", async (_, sent, content, unpacked) => {
    const taken = await take(sent);
    expect(taken).toMatchObject({ fault: undefined, decoded: content.byteLength, unpacked, deadlines: 0 });
    expect(Buffer.compare(taken.bytes ?? nothing, content)).toBe(0);
    if (sent.declared !== undefined) expect(taken).toMatchObject({ received: sent.declared });
  });

  test.each<[string, Sent, string, number]>([
    ["of a type the row does not take", { headers: { "content-type": "text/plain" } }, "unsupported_media_type", 0],
    ["of a coding the row does not take", { headers: { "content-encoding": "br" } }, "unsupported_encoding", 0],
    ["declared too large", { content: small, declared: 4 * MiB + 1 }, "too_large", 0],
    [
      "larger than it may be, whatever it declares",
      { content: small, declared: 10, rule: { encodedBytes: 999 } },
      "too_large",
      0,
    ],
    ["that unzips to more", { ...whole(gzipped(zeros)), ...gzip, rule: { decodedBytes: MiB } }, "too_large", 0],
    [
      "that unzips to a little more",
      { ...whole(gzipped(zeros.slice(0, MiB + 1))), ...gzip, rule: { decodedBytes: MiB } },
      "too_large",
      0,
    ],
    [
      "that unzips to more in pieces",
      { ...whole(gzipped(zeros)), ...gzip, rule: { decodedBytes: 2.5 * MiB } },
      "too_large",
      1,
    ],
    ["of zstd that is more", { ...whole(zstdOf(zeros)), ...zstd, rule: { decodedBytes: MiB } }, "too_large", 1],
    ["that is not what it says", { ...whole(small), ...gzip }, "bad_encoding", 0],
    ["large, zipped and cut off", { ...whole(gzipped(large).slice(0, -9)), ...gzip }, "bad_encoding", 1],
    [
      "in a doubtful transfer coding",
      { ...inChunks(small), headers: { "transfer-encoding": ",chunked" } },
      "bad_encoding",
      0,
    ],
  ])("%s is refused before an upstream could hear of it", async (_, sent, reason, unpacked) => {
    expect(await take(sent)).toMatchObject({ error: { reason }, unpacked, deadlines: 0 });
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

test("says how long it is, or nothing of it", () => {
  const lengthOf = (headers: Record<string, string>) => declaredBytes(new Request("http://gateway", { headers }));
  expect([lengthOf({ "content-length": "12" }), lengthOf({})]).toEqual([12, Number.NaN]);
});
