import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createLogger } from "@vitrine/kit/log";
import { toOtlpLogs } from "./loki-otlp.ts";
import { type Gateway, startGateway } from "./testing/harness.ts";

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
  }, 10_000);

  test.each([
    ["no JSON", "x", {}, 400],
    ["no push", "{}", {}, 400],
    ["snappy protobuf", "x", { "content-type": "application/x-protobuf" }, 415],
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
    const metadata = Object.fromEntries(Array.from({ length: 410_000 }, (_, at) => [at.toString(36), ""]));
    const body = JSON.stringify({ streams: [{ stream: {}, values: [["1", "x", metadata]] }] });
    expect(body.length).toBeLessThan(4 * MiB);
    expect((await push(body)).status).toBe(413);
    expect(gateway.seen).toEqual([]);
  });

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
