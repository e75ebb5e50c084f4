import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createLogger } from "@vitrine/kit/log";
import { type Gateway, startGateway } from "../testing/harness.ts";
import { snap } from "../testing/snappy.ts";
import { toOtlpLogs } from "./otlp.ts";

const MiB = 1_048_576;

let gateway: Gateway;
let token: string;

beforeAll(async () => {
  gateway = await startGateway();
  token = await gateway.issuer.sign("logs:write", { client_id: "shop" });
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.answer = undefined;
  gateway.seen.length = 0;
  gateway.accepted.length = 0;
  gateway.refusals.length = 0;
});

function push(body: Exclude<RequestInit["body"], undefined>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/loki/api/v1/push`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
  });
}

const sample = {
  streams: [
    {
      stream: { service_name: "till", level: "warn", shop: "paris" },
      values: [
        ["1700000000123456789", "first"],
        [
          "1700000000123456790",
          "second",
          { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331", user: "anna" },
        ],
      ],
    },
  ],
};

/** The same in protobuf, written by hand: streams 1 {labels 1, entries 2 {time 1, line 2, metadata 3 {name 1, value 2}}}. */
const packedSample = lengthed(
  1,
  lengthed(1, '{service_name="till", level="warn", shop="paris"}'),
  lengthed(2, time(123_456_789), lengthed(2, "first")),
  lengthed(
    2,
    time(123_456_790),
    lengthed(2, "second"),
    pair("trace_id", "0af7651916cd43dd8448eb211c80319c"),
    pair("span_id", "b7ad6b7169203331"),
    pair("user", "anna"),
  ),
);

function lengthed(number: number, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  return Buffer.concat([Uint8Array.of(number * 8 + 2), varint(content.byteLength), content]);
}

function time(nanos: number): Uint8Array {
  return lengthed(1, Uint8Array.of(8), varint(1_700_000_000), Uint8Array.of(16), varint(nanos));
}

function pair(name: string, value: string): Uint8Array {
  return lengthed(3, lengthed(1, name), lengthed(2, value));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

describe("a push becomes OTLP logs", () => {
  test("with labels, metadata, ids, level and every nanosecond", () =>
    expect(toOtlpLogs(sample)).toEqual({
      resourceLogs: [
        {
          resource: {
            attributes: [attribute("service.name", "till"), attribute("level", "warn"), attribute("shop", "paris")],
          },
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: "1700000000123456789",
                  body: { stringValue: "first" },
                  attributes: [],
                  severityText: "warn",
                  severityNumber: 13,
                },
                {
                  timeUnixNano: "1700000000123456790",
                  body: { stringValue: "second" },
                  attributes: [attribute("user", "anna")],
                  severityText: "warn",
                  severityNumber: 13,
                  traceId: "0af7651916cd43dd8448eb211c80319c",
                  spanId: "b7ad6b7169203331",
                },
              ],
            },
          ],
        },
      ],
    }));

  test("an id of another form and a level nobody knows are kept as text", () => {
    const [resource] = toOtlpLogs({
      streams: [{ stream: {}, values: [["1", "x", { trace_id: "zz", span_id: "0000000000000000", level: "loud" }]] }],
    }).resourceLogs;
    expect(resource?.scopeLogs[0]?.logRecords[0]).toEqual({
      timeUnixNano: "1",
      body: { stringValue: "x" },
      attributes: [attribute("level", "loud"), attribute("trace_id", "zz"), attribute("span_id", "0000000000000000")],
      severityText: "loud",
    });
  });

  test("a label called __proto__ is a label", () => {
    const text = '{"streams":[{"stream":{"__proto__":"a","constructor":"b"},"values":[["1","x"]]}]}';
    expect(toOtlpLogs(JSON.parse(text)).resourceLogs[0]?.resource.attributes).toEqual([
      attribute("__proto__", "a"),
      attribute("constructor", "b"),
    ]);
  });

  test.each([
    [null, "streams"],
    [{ streams: [] }, "streams"],
    [{ streams: {} }, "streams"],
    [{ streams: [1] }, "streams[0]"],
    [{ streams: [{ values: [] }] }, "streams[0].stream"],
    [{ streams: [{ stream: { a: 1 }, values: [] }] }, "streams[0].stream.a"],
    [{ streams: [{ stream: {}, values: {} }] }, "streams[0].values"],
    [{ streams: [{ stream: {}, values: [["1"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [[1, "x"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["-1", "x"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["1e9", "x"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["9223372036854775808", "x"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["1\n", "x"]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["1", 2]] }] }, "streams[0].values[0]"],
    [{ streams: [{ stream: {}, values: [["1", "x", { a: 1 }]] }] }, "streams[0].values[0][2].a"],
  ])("%j is refused, naming %s", (body, place) => expect(() => toOtlpLogs(body)).toThrow(`${place}: `));
});

describe("the push route", () => {
  test.each(["identity", "gzip"])("answers 204 and hands the collector the client's logs, %s", async (encoding) => {
    const text = JSON.stringify(sample);
    const response =
      encoding === "gzip"
        ? await push(Uint8Array.from(gzipSync(text)), { "content-encoding": "gzip" })
        : await push(text);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    const [seen] = gateway.seen;
    expect(seen).toMatchObject({ upstream: "collector", path: "/v1/logs" });
    expect(seen?.headers.get("x-client-id")).toBe("shop");
    expect(JSON.parse(Buffer.from(seen?.body ?? []).toString())).toEqual(toOtlpLogs(sample));
    expect(gateway.accepted).toMatchObject([{ clientId: "shop", signal: "logs" }]);
  });

  test("takes what pino-loki sends", async () => {
    const logger = createLogger({
      service: "till",
      level: "info",
      sink: "loki",
      loki: { url: gateway.url, token },
      destination: { write: () => undefined },
    });
    logger.info({ action: "http.request" }, "by pino-loki");
    const deadline = Date.now() + 8_000;
    while (gateway.seen.length === 0 && Date.now() < deadline) await Bun.sleep(20);
    const logs = JSON.parse(Buffer.from(gateway.seen[0]?.body ?? []).toString()) as ReturnType<typeof toOtlpLogs>;
    expect(logs.resourceLogs[0]?.resource.attributes).toContainEqual(attribute("service.name", "till"));
    expect(logs.resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.body.stringValue).toContain("by pino-loki");
  }, 60_000);

  test.each([
    ["no JSON", "x", {}, 400],
    ["no push", "{}", {}, 400],
    ["protobuf that is not packed", "x", { "content-type": "application/x-protobuf" }, 400],
    ["a packed text that is no push", snap(Buffer.from("x")), { "content-type": "application/x-protobuf" }, 400],
    ["a packed bomb", Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0), { "content-type": "application/x-protobuf" }, 413],
    ["JSON said to be snappy", snap(Buffer.from("{}")), { "content-encoding": "snappy" }, 400],
    ["text", "x", { "content-type": "text/plain" }, 415],
    ["zstd", "x", { "content-encoding": "zstd" }, 415],
    ["too much", " ".repeat(4 * MiB + 1), {}, 413],
    ["a bomb", Uint8Array.from(gzipSync(new Uint8Array(200 * MiB))), { "content-encoding": "gzip" }, 413],
  ])("refuses %s in plain text", async (_, body, headers: Record<string, string>, status) => {
    const response = await push(body, headers);
    expect([response.status, response.headers.get("content-type")]).toEqual([status, "text/plain; charset=utf-8"]);
    expect(await response.text()).toMatch(/^[\x20-\x7e]+\n$/);
    expect(gateway.seen).toEqual([]);
  });

  test("refuses what has grown past the collector's cap as OTLP", async () => {
    // As JSON each of these characters takes six bytes.
    const line = "\u0001".repeat(3 * MiB);
    const packed = snap(lengthed(1, lengthed(1, "{}"), lengthed(2, time(1), lengthed(2, line))));
    expect((await push(packed, { "content-type": "application/x-protobuf" })).status).toBe(413);
    expect(gateway.seen).toEqual([]);
  });

  test("refuses more entries, or more metadata of one, than it is given the time for", async () => {
    const many = Array.from({ length: 200_000 }, () => ["1", "x"]);
    expect((await push(JSON.stringify({ streams: [{ stream: {}, values: many }] }))).status).toBe(413);
    const wide = Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`k${at}`, ""]));
    const refused = await push(JSON.stringify({ streams: [{ stream: {}, values: [["1", "x", wide]] }] }));
    expect([refused.status, await refused.text()]).toEqual([
      400,
      "streams[0].values[0][2]: must not have more than 256 members\n",
    ]);
    expect(gateway.seen).toEqual([]);
  });

  test.each([{}, { "content-encoding": "snappy" }])(
    "takes protobuf under Snappy, which it always is, whatever is said of its encoding: %j",
    async (headers: Record<string, string>) => {
      const response = await push(snap(packedSample), { "content-type": "application/x-protobuf", ...headers });
      expect([response.status, await response.text()]).toEqual([204, ""]);
      expect(JSON.parse(Buffer.from(gateway.seen[0]?.body ?? []).toString())).toEqual(toOtlpLogs(sample));
      expect(gateway.accepted).toMatchObject([{ clientId: "shop", signal: "logs" }]);
    },
  );

  test("passes overload on with Retry-After, and a partial success as a 400 that says so", async () => {
    gateway.answer = () => new Response("full", { status: 503 });
    const full = await push(JSON.stringify(sample));
    expect([full.status, full.headers.get("retry-after"), await full.text()]).toEqual([
      503,
      "2",
      "the collector failed\n",
    ]);
    gateway.answer = () => Response.json({ code: 3, message: "too\nold" }, { status: 400 });
    const refused = await push(JSON.stringify(sample));
    expect([refused.status, await refused.text()]).toEqual([400, "too old\n"]);
    gateway.answer = () => Response.json({ partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } });
    const partial = await push(JSON.stringify(sample));
    expect([partial.status, await partial.text()]).toEqual([400, "1 entries were refused: too old\n"]);
  });
});
