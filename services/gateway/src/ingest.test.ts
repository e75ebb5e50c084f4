import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Gateway, readStatus, startGateway } from "./testing/harness.ts";

const MiB = 1_048_576;
const protobuf = "application/x-protobuf";
const json = "application/json";

let gateway: Gateway;
let authorization: string;

beforeAll(async () => {
  gateway = await startGateway();
  authorization = (await gateway.bearer("telemetry:write"))["authorization"] ?? "";
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.answer = undefined;
  gateway.seen.length = 0;
  gateway.refusals.length = 0;
  gateway.accepted.length = 0;
});

function post(
  body: Exclude<RequestInit["body"], undefined>,
  headers: Record<string, string> = {},
  path = "/v1/traces",
): Promise<Response> {
  return fetch(`${gateway.otlpUrl}${path}`, {
    method: "POST",
    body,
    headers: { authorization, "content-type": protobuf, ...headers },
  });
}

function random(bytes: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  return content;
}

/** A body of unknown length: sent in chunks. */
function chunked(content: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= content.byteLength) controller.close();
      else controller.enqueue(content.subarray(at, (at += 65_536)));
    },
  });
}

const compressions = {
  identity: (content: Uint8Array<ArrayBuffer>) => content,
  gzip: (content: Uint8Array<ArrayBuffer>) => Uint8Array.from(gzipSync(content)),
  zstd: (content: Uint8Array<ArrayBuffer>) => Uint8Array.from(zstdCompressSync(content)),
} as const;
const encodings = Object.keys(compressions) as (keyof typeof compressions)[];

describe("a body arrives at the collector byte for byte, decoded", () => {
  for (const encoding of encodings) {
    test.each([0, 1, 16_384, 262_145, 3 * MiB, 16 * MiB])(`${encoding}, %d bytes`, async (size) => {
      const content = size > 4 * MiB && encoding !== "identity" ? new Uint8Array(size) : random(size);
      const encoded = compressions[encoding](content);
      const headers = encoding === "identity" ? {} : { "content-encoding": encoding };
      for (const body of [encoded, chunked(encoded)]) {
        const response = await post(body, headers);
        expect([response.status, response.headers.get("content-type")]).toEqual([200, protobuf]);
        const seen = gateway.seen.pop();
        expect(seen?.headers.get("content-encoding")).toBeNull();
        expect(Buffer.compare(seen?.body ?? new Uint8Array(1), content)).toBe(0);
        expect(gateway.accepted.pop()).toEqual({
          clientId: "test-client",
          signal: "traces",
          bytes: encoded.byteLength,
        });
      }
    });
  }

  test("members of a gzip and frames of a zstd body are one body", async () => {
    for (const encoding of ["gzip", "zstd"] as const) {
      const part = compressions[encoding](random(1_000));
      const response = await post(Uint8Array.from([...part, ...part]), { "content-encoding": encoding });
      expect(response.status).toBe(200);
      expect(gateway.seen.pop()?.body.byteLength).toBe(2_000);
    }
  });

  test("every signal is counted by its name, on both ports", async () => {
    for (const signal of ["traces", "metrics", "logs"]) {
      await post("{}", { "content-type": json }, `/v1/${signal}`);
      const response = await fetch(`${gateway.url}/v1/${signal}`, {
        method: "POST",
        body: "{}",
        headers: { authorization, "content-type": `${json}; charset=utf-8` },
      });
      expect(await response.json()).toEqual({ partialSuccess: {} });
    }
    expect(gateway.accepted.map(({ signal }) => signal)).toEqual([
      "traces",
      "traces",
      "metrics",
      "metrics",
      "logs",
      "logs",
    ]);
  });
});

describe("a body past a cap is 413, final, and reaches no collector whole", () => {
  const over = 16 * MiB + 1;
  for (const encoding of encodings) {
    const bomb = compressions[encoding](new Uint8Array(encoding === "identity" ? over : 20 * over));
    for (const [name, body] of [
      ["of a declared length", () => bomb],
      ["in chunks", () => chunked(bomb)],
    ] as const) {
      for (const type of [protobuf, json]) {
        test(`${encoding} ${name} as ${type}`, async () => {
          const headers = encoding === "identity" ? {} : { "content-encoding": encoding };
          const response = await post(body(), { ...headers, "content-type": type });
          expect(response.status).toBe(413);
          expect(response.headers.get("content-type")).toBe(type);
          expect(response.headers.get("retry-after")).toBeNull();
          expect((await readStatus(response)).code).toBe(8);
          expect(gateway.accepted).toEqual([]);
          expect(gateway.refusals).toMatchObject([{ reason: "too_large", clientId: "test-client" }]);
        });
      }
    }
  }

  test.each([
    ["a gzip of 17 MiB", "gzip", compressions.gzip(new Uint8Array(17 * MiB))],
    ["a gzip of 500 MiB", "gzip", compressions.gzip(new Uint8Array(500 * MiB))],
    ["a zstd of 17 MiB", "zstd", compressions.zstd(new Uint8Array(17 * MiB))],
    ["a large gzip, cut off", "gzip", compressions.gzip(new Uint8Array(3 * MiB)).subarray(0, -2)],
    ["a large zstd with a tail", "zstd", Uint8Array.from([...compressions.zstd(new Uint8Array(3 * MiB)), 1, 2, 3])],
  ])("%s is small as it comes: the collector never hears of it", async (_, encoding, body) => {
    let heard = 0;
    gateway.answer = () => {
      heard += 1;
      return new Response();
    };
    for (const sent of [() => body, () => chunked(body)])
      expect((await post(sent(), { "content-encoding": encoding })).status).toBeOneOf([400, 413]);
    expect(heard).toBe(0);
  });

  test.each([
    ["gzip", 1],
    ["gzip", 3],
    ["zstd", 1],
    ["zstd", 3],
  ] as const)("%s of %d MiB arrives byte for byte, however it comes", async (encoding, size) => {
    const content = Uint8Array.from({ length: size * MiB }, (_, at) => (at * at) >> 7);
    const body = compressions[encoding](content);
    for (const sent of [() => body, () => chunked(body)]) {
      expect((await post(sent(), { "content-encoding": encoding })).status).toBe(200);
      expect(Buffer.compare(gateway.seen.at(-1)?.body ?? new Uint8Array(), content)).toBe(0);
    }
  });

  test("a declared length past the cap is refused before the body is sent", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: gateway.otlpPort,
      socket: { data: (_, chunk) => resolve(chunk.toString("latin1")) },
    });
    socket.write(
      `POST /v1/logs HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\nContent-Type: ${json}\r\nContent-Length: 999999999999\r\n\r\n`,
    );
    const answer = await promise;
    socket.end();
    expect(answer).toStartWith("HTTP/1.1 413 ");
    expect(answer).toContain('"code":8');
  });
});

describe("a body the collector could not read is refused in the request's encoding", () => {
  test.each([
    ["gzip that is none", "gzip", random(64)],
    ["gzip cut off", "gzip", compressions.gzip(random(5_000)).subarray(0, 4_000)],
    ["gzip cut off, large", "gzip", compressions.gzip(random(500_000)).subarray(0, 400_000)],
    ["gzip with a tail", "gzip", Uint8Array.from([...compressions.gzip(random(50)), 1, 2, 3])],
    ["an empty gzip", "gzip", new Uint8Array()],
    ["zstd that is none", "zstd", random(64)],
    ["zstd cut off", "zstd", compressions.zstd(random(5_000)).subarray(0, 4_000)],
    ["zstd with a tail", "zstd", Uint8Array.from([...compressions.zstd(random(50)), 1, 2, 3])],
  ])("%s: 400", async (_, encoding, body) => {
    const response = await post(chunked(body), { "content-encoding": encoding });
    expect(response.status).toBe(400);
    expect((await readStatus(response)).code).toBe(3);
    expect(gateway.refusals).toMatchObject([{ reason: "bad_encoding" }]);
    const declared = await post(body, { "content-encoding": encoding });
    // fetch sends no body at all for an empty one, and nothing compressed is nothing.
    expect(declared.status).toBe(body.byteLength === 0 ? 200 : 400);
  });

  test.each(["deflate", "br", "snappy", "gzip, gzip", "gzip, identity", "x-gzip", "GZIP2"])(
    "Content-Encoding %s: 415 that says what is taken",
    async (encoding) => {
      const response = await post("x", { "content-encoding": encoding });
      expect(response.status).toBe(415);
      expect(response.headers.get("accept-encoding")).toBe("identity, gzip, zstd");
      expect((await readStatus(response)).code).toBe(3);
      expect(gateway.refusals).toMatchObject([{ reason: "unsupported_encoding" }]);
    },
  );

  test.each(["text/plain", "application/octet-stream", "application/x-protobuf2", "application/xml", ""])(
    "Content-Type %p: 415",
    async (type) => {
      const response = await post(new Uint8Array([1]), { "content-type": type });
      expect(response.status).toBe(415);
      expect(response.headers.get("content-type")).toBe(protobuf);
      expect(gateway.refusals).toMatchObject([{ reason: "unsupported_media_type" }]);
      expect(gateway.seen).toEqual([]);
    },
  );
});

describe("what the collector answers", () => {
  const status = (type: string, code: number, message: string) =>
    type === json
      ? JSON.stringify({ code, message })
      : Uint8Array.from([8, code, 18, message.length, ...Buffer.from(message)]);

  for (const type of [protobuf, json]) {
    test.each([429, 503, 502, 504])(`%d as ${type}: passed on, with Retry-After added`, async (code) => {
      gateway.answer = () =>
        new Response(status(type, 14, "full"), { status: code, headers: { "content-type": type } });
      const response = await post("{}", { "content-type": type });
      expect([response.status, response.headers.get("retry-after")]).toEqual([code, "2"]);
      expect((await readStatus(response)).message).toBe(code === 429 ? "full" : "the collector failed");
      expect(gateway.accepted).toEqual([]);
    });

    test.each([400, 500])(`%d as ${type}: passed on, and stays final`, async (code) => {
      gateway.answer = () => new Response(status(type, 3, "bad"), { status: code, headers: { "content-type": type } });
      const response = await post("{}", { "content-type": type });
      expect([response.status, response.headers.get("retry-after")]).toEqual([code, null]);
      expect((await readStatus(response)).message).toBe(code === 400 ? "bad" : "the collector failed");
    });

    test.each([
      [400, 3, "proto: wrong wireType"],
      [405, 12, "proto: wrong wireType"],
      [415, 3, "proto: wrong wireType"],
      [404, 5, "proto: wrong wireType"],
      [500, 13, "the collector failed"],
      [503, 14, "the collector failed"],
    ])(`text of a %d becomes a Status as ${type}`, async (code, rpcCode, message) => {
      gateway.answer = () =>
        new Response("proto: wrong\r\nwireType\n", { status: code, headers: { "content-type": "text/plain" } });
      const response = await post("{}", { "content-type": type });
      expect([response.status, response.headers.get("content-type")]).toEqual([code, type]);
      expect(await readStatus(response)).toEqual({ code: rpcCode, message });
    });
  }

  test("a Status of a 5xx is made anew: it may tell addresses behind the collector", async () => {
    const secret = "rpc error: dial tcp 10.1.2.3:9095: connection refused http://loki.internal:3100";
    for (const code of [500, 503]) {
      gateway.answer = () => Response.json({ code: 14, message: secret }, { status: code });
      const response = await post("{}", { "content-type": json });
      expect(response.status).toBe(code);
      expect(await readStatus(response)).toEqual({ code: code === 500 ? 13 : 14, message: "the collector failed" });
    }
  });

  test("a Retry-After of its own is kept; one that is a hot loop, or that no exporter can read, is not", async () => {
    for (const [said, heard] of [
      ["1", "1"],
      ["30", "30"],
      ["Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"],
      ...["0", "00", "-1", "1.5", "1e9", "soon", ""].map((none) => [none, "2"] as const),
    ] as const) {
      gateway.answer = () => new Response(null, { status: 503, headers: { "retry-after": said } });
      expect((await post("x")).headers.get("retry-after")).toBe(heard);
    }
  });

  test("partial success arrives as it is, and counts as accepted", async () => {
    const partial = { partialSuccess: { rejectedSpans: "3", errorMessage: "too old" } };
    gateway.answer = () => Response.json(partial);
    const response = await post("{}", { "content-type": json });
    expect(await response.json()).toEqual(partial);
    expect(gateway.accepted).toHaveLength(1);
  });

  test.each([301, 302, 307, 308, 401, 403])("%d would mislead an exporter: 502, which it tries again", async (code) => {
    let calls = 0;
    gateway.answer = () => {
      calls += 1;
      return new Response("x", { status: code, headers: { location: `${gateway.url}/v1/traces` } });
    };
    const response = await post("{}", { "content-type": json });
    expect([response.status, response.headers.get("retry-after"), calls]).toEqual([502, "2", 1]);
    expect(gateway.refusals).toMatchObject([{ reason: "upstream_failed" }]);
  });

  test("a success in another encoding would count as lost: 502", async () => {
    gateway.answer = () => new Response("<html>", { headers: { "content-type": "text/html" } });
    expect((await post("x")).status).toBe(502);
  });
});
