import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, rawStatus, sendRaw, startGateway } from "./testing/harness.ts";

let gateway: Gateway;
let authorization: string;

beforeAll(async () => {
  gateway = await startGateway();
  const token = await gateway.issuer.sign("telemetry:write telemetry:read orders:read orders:write inventory:read");
  authorization = `Authorization: Bearer ${token}\r\n`;
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.seen.length = 0;
});

function request(line: string, headers = "Host: gateway\r\n"): string {
  return `${line} HTTP/1.1\r\n${headers}${authorization}Connection: close\r\n\r\n`;
}

/** Good token, good method: only the target stands between these and an upstream. */
const confusions = [
  "//v1/traces",
  "/v1//traces",
  "/v1/traces/",
  "/V1/traces",
  "/v1/Traces",
  "/v1%2ftraces",
  "/v1%2Ftraces",
  "/v1%5ctraces",
  "/v1/tr%61ces",
  "/%76%31/traces",
  "/v1/traces;x",
  "/v1/traces%3bx",
  "/v1/traces#",
  "/v1/traces?x#y",
  "/v1/traces%00",
  "/v1/traces%20",
  "/v1/traces.",
  "/v1/traces%2e",
  "/v1/traces%252f",
  "/prometheus/..%2f..%2f-/reload",
  "/prometheus/%2e%2e%2f-/reload",
  "/prometheus/api/v1/query/..%2f..%2fadmin/tsdb/snapshot",
  "/prometheus/../prometheus/-/reload",
  "/prometheus/api/v1/query/../admin/tsdb/snapshot",
  "/prometheus/api/v1/query/%2e%2e/admin/tsdb/snapshot",
  "/prometheus/api/v1/label/..%2f..%2f..%2f-%2freload/values",
  "/prometheus/api/v1/label/%2e%2e/values",
  "/prometheus/-/../api/v1/query",
  "/prometheus/./api/v1/query",
  "/v1/../v1/traces",
  "/v1/%2E/traces",
  "/x/.%2e/api/orders",
  "/api/orders/1/../2",
  "/v1\\traces",
  "/api\\orders",
  "/a\\..\\api/orders",
  "http://gateway/v1/../v1/traces",
  "http://gateway/api\\orders",
  `/${"x/../".repeat(20)}v1/traces`,
  `/api/orders${"/x".repeat(20)}`,
  "/prometheus\\-\\reload",
  "/prometheus/api/v1\\admin",
  "/prometheusapi/v1/query",
  "/prometheus",
  "/prometheus/",
  "/loki/api/v1/label/..%2f..%2fdelete/values",
  "/loki/api/v1/../../config",
  "/jaeger/api/traces/..%2f..%2f..%2f",
  "/api/orders/..%2finventory",
  "/api/orders/%2e%2e/%2e%2e/-/reload",
  "/api/orders%2f..%2f..%2fmetrics",
  "/api/orders//x",
  "/api/orders/%c0%ae%c0%ae/x",
  "/api/orders/%c0%af",
  "/api/orders/%ef%bc%8f%00",
  "/api/orders/%",
  "/api/orders/%2",
  "/api/orders/a%0d%0aX-Client-Id:%20root",
  "/health/../v1",
  "/health/live/../../v1",
  "/metrics%2forders",
  "/.well-known/../metrics/orders/x",
  "/oauth%2ftoken",
  "*",
  "v1/traces",
  "///evil.example/v1/traces",
  "/http://127.0.0.1:9090/-/reload",
];

describe("a confusing path reaches no upstream and is no fault of ours", () => {
  for (const method of ["GET", "POST"]) {
    test.each(confusions)(`${method} %s`, async (path) => {
      const status = rawStatus(await sendRaw(gateway.port, request(`${method} ${path}`)));
      expect([400, 404]).toContain(status);
      expect(gateway.seen).toEqual([]);
    });
  }

  test.each(["/v1/traces\t", "/v1 /traces", "/v1/tra\u0000ces", "/v1/traces HTTP/1.1"])("%p", async (path) => {
    expect(rawStatus(await sendRaw(gateway.port, request(`POST ${path}`)))).not.toBe(200);
    expect(gateway.seen).toEqual([]);
  });
});

describe("a target in another form", () => {
  test.each([
    ["two Host headers", "GET /api/orders", "Host: gateway\r\nHost: other\r\n"],
    ["a Host with a path", "GET /api/orders", "Host: gateway/api\r\n"],
    ["a Host with a query", "GET /x", "Host: gateway/api/orders?\r\n"],
    ["a Host with a user", "GET /api/orders", "Host: a@b\r\n"],
    ["no Host", "GET /api/orders", ""],
  ])("%s is 400", async (_, line, host) => {
    expect(rawStatus(await sendRaw(gateway.port, request(line, host)))).toBe(400);
    expect(gateway.seen).toEqual([]);
  });

  test.each(["CONNECT 127.0.0.1:9090", "TRACE /api/orders", "PROPFIND /api/orders", "get /api/orders"])(
    "%s reaches nothing",
    async (line) => {
      expect([0, 400, 404, 405, 501]).toContain(rawStatus(await sendRaw(gateway.port, request(line))));
      expect(gateway.seen).toEqual([]);
    },
  );

  test("absolute form names this gateway whatever host it says", async () => {
    const answer = await sendRaw(gateway.port, request("GET http://prometheus.internal:9090/api/orders"));
    expect(rawStatus(answer)).toBe(200);
    expect(gateway.seen).toMatchObject([{ upstream: "orders", path: "/api/orders" }]);
  });
});

describe("two requests hidden in one are one refusal", () => {
  test.each([
    ["Content-Length and Transfer-Encoding", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"],
    ["two lengths", "Content-Length: 4\r\nContent-Length: 40\r\n"],
    ["a signed length", "Content-Length: +4\r\n"],
    ["an unknown transfer coding", "Transfer-Encoding: xchunked\r\n"],
    ["two transfer codings", "Transfer-Encoding: chunked, identity\r\n"],
    ["a space before the colon", "Content-Length : 4\r\n"],
    ["a folded header", "X-A: b\r\n c: d\r\n"],
  ])("%s", async (_, framing) => {
    const smuggled = "GET /api/orders HTTP/1.1\r\nHost: gateway\r\n\r\n";
    const head = `POST /v1/traces HTTP/1.1\r\nHost: gateway\r\n${authorization}Content-Type: application/json\r\n`;
    const answer = await sendRaw(gateway.port, `${head}${framing}\r\n0\r\n\r\n${smuggled}`);
    expect([0, 400, 501]).toContain(rawStatus(answer));
    expect(gateway.seen).toEqual([]);
  });

  test("two Authorization headers are not a token", async () => {
    const answer = await sendRaw(
      gateway.port,
      request("GET /api/orders", `Host: gateway\r\nAuthorization: Bearer a.b.c\r\n`),
    );
    expect(rawStatus(answer)).toBe(401);
    expect(gateway.seen).toEqual([]);
  });
});
