import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, sendRaw, startGateway } from "./testing/harness.ts";

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.answer = undefined;
  gateway.seen.length = 0;
});

/** Written raw: fetch would refuse or fold some of these. */
const spoofed = [
  "x-client-id: root",
  "X-Client-ID: root",
  "X_Client_Id: root",
  "x-client-service: root",
  "X_Client_Service: root",
  "X-Scope-OrgID: root",
  "X_Scope_OrgID: root",
  "X-WEBAUTH-USER: root",
  "X-Forwarded-For: 10.0.0.1",
  "X-Forwarded-Host: evil.example",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Uri: /health/live",
  "X-Forwarded-User: root",
  "X-Forwarded-Access-Token: root",
  "Forwarded: for=10.0.0.1",
  "X-Real-IP: 10.0.0.1",
  "X-Original-URL: /-/reload",
  "X-Rewrite-URL: /-/reload",
  "X-HTTP-Method-Override: DELETE",
  "Cookie: session=root",
  "Origin: https://evil.example",
  "Referer: https://evil.example",
  "Proxy-Authorization: Basic cm9vdA==",
  "TE: trailers",
  "Upgrade: h2c",
  "Keep-Alive: timeout=5",
  "Via: 1.1 evil",
  "baggage: a=b",
];
const allowed = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "host",
  "x-client-address",
  "idempotency-key",
  "if-none-match",
  "traceparent",
  "transfer-encoding",
  "user-agent",
  "x-request-id",
]);

async function sendSpoofed(line: string, type: string, body: string): Promise<void> {
  const scope = "telemetry:write telemetry:read orders:write orders:read";
  const { authorization } = await gateway.bearer(scope, { client_id: "watch-shop", service: "checkout" });
  const head = [
    `${line} HTTP/1.1`,
    "Host: gateway",
    `Authorization: ${authorization}`,
    "Connection: close, x-client-id, x-client-service, authorization, x-request-id",
    "X-Request-Id: req-42",
    "Idempotency-Key: key-1",
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
    ...spoofed,
  ];
  await sendRaw(gateway.port, `${head.join("\r\n")}\r\n\r\n${body}`);
}

describe("what a client says about itself goes no further", () => {
  test("the collector hears the verified client and service, no token, and nothing else", async () => {
    await sendSpoofed("POST /v1/logs", "application/json", "{}");
    const headers = gateway.seen[0]?.headers ?? new Headers();
    expect(headers.get("x-client-id")).toBe("watch-shop");
    expect(headers.get("x-client-service")).toBe("checkout");
    expect(headers.has("authorization")).toBe(false);
    const rest = [...headers.keys()].filter((name) => !allowed.has(name) && !name.startsWith("x-client-"));
    expect(rest).toEqual([]);
    expect(JSON.stringify([...headers])).not.toMatch(/root|evil|10\.0\.0\.1/);
  });

  test("an engine hears no token and no name", async () => {
    await sendSpoofed("GET /loki/api/v1/labels", "text/plain", "");
    const headers = gateway.seen[0]?.headers ?? new Headers();
    expect(headers.has("authorization")).toBe(false);
    expect([...headers.keys()].filter((name) => !allowed.has(name))).toEqual([]);
    expect(JSON.stringify([...headers])).not.toMatch(/root|evil|10\.0\.0\.1/);
  });

  test("a service of ours hears the token, the request id and the idempotency key, and no other claim", async () => {
    await sendSpoofed("POST /api/orders", "application/json", "{}");
    const headers = gateway.seen[0]?.headers ?? new Headers();
    expect(headers.get("authorization")).toStartWith("Bearer ");
    expect(headers.get("idempotency-key")).toBe("key-1");
    expect([...headers.keys()].filter((name) => !allowed.has(name))).toEqual([]);
    expect(JSON.stringify([...headers])).not.toMatch(/root|evil|10\.0\.0\.1/);
  });

  test("a client without a service name is its own service", async () => {
    await fetch(`${gateway.url}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { ...(await gateway.bearer("logs:write")), "content-type": "application/json" },
    });
    expect(gateway.seen[0]?.headers.get("x-client-service")).toBe("test-client");
  });

  test("a client id that is no header value is refused, not sent", async () => {
    const response = await fetch(`${gateway.url}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: {
        ...(await gateway.bearer("logs:write", { client_id: "a\r\nx-client-service: b" })),
        "content-type": "application/json",
      },
    });
    expect(response.status).toBe(401);
    expect(gateway.seen).toEqual([]);
  });
});

describe("a request id", () => {
  test("that is valid goes in and out", async () => {
    const response = await fetch(`${gateway.url}/.well-known/jwks.json`, { headers: { "x-request-id": "req-1" } });
    expect(response.headers.get("x-request-id")).toBe("req-1");
  });

  test("that is not valid is replaced", async () => {
    const response = await fetch(`${gateway.url}/nowhere`, { headers: { "x-request-id": "<script>" } });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("what an upstream answers", () => {
  const answered = {
    connection: "x-private, x-content-type-options, not a header",
    "x-private": "1",
    "keep-alive": "timeout=5",
    server: "engine/1.0",
    "x-powered-by": "engine",
    "access-control-allow-origin": "*",
    "set-cookie": "a=b",
    location: "http://127.0.0.1:9090/graph",
    "x-frame-options": "ALLOWALL",
    "x-prometheus-remote-write-samples-written": "3",
    "x-request-id": "theirs",
    "cache-control": "public, max-age=60",
  };

  test("loses what speaks of one connection, of its origin, or for the gateway", async () => {
    gateway.answer = () => new Response("{}", { headers: answered });
    const response = await fetch(`${gateway.url}/loki/api/v1/labels`, {
      headers: { ...(await gateway.bearer("telemetry:read")), "x-request-id": "ours" },
    });
    const gone = ["x-private", "keep-alive", "server", "x-powered-by", "access-control-allow-origin"];
    for (const name of [...gone, "set-cookie", "location"]) expect(response.headers.get(name)).toBeNull();
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("x-request-id")).toBe("ours");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-prometheus-remote-write-samples-written")).toBe("3");
  });

  test("as HTML of a service of ours keeps the policy it names; an engine's page gets the strictest", async () => {
    const policy = "default-src 'none'; script-src 'self'";
    gateway.answer = () =>
      new Response("<p>", {
        headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
      });
    const own = await fetch(`${gateway.url}/login`);
    expect(own.headers.get("content-security-policy")).toBe(policy);
    const engine = await fetch(`${gateway.url}/loki/api/v1/labels`, {
      headers: await gateway.bearer("telemetry:read"),
    });
    expect(engine.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  test("of a public route may be cached as its service says", async () => {
    gateway.answer = () => new Response("{}", { headers: answered });
    const response = await fetch(`${gateway.url}/.well-known/jwks.json`);
    expect(response.headers.get("cache-control")).toBe("public, max-age=60");
  });

  test("that is a redirect is never followed, and an engine's leads nowhere", async () => {
    const visited: string[] = [];
    gateway.answer = (request, upstream) => {
      visited.push(`${upstream} ${new URL(request.url).pathname}`);
      return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
    };
    const headers = await gateway.bearer("telemetry:read orders:read");
    const engine = await fetch(`${gateway.url}/jaeger/api/services`, { headers, redirect: "manual" });
    expect([engine.status, engine.headers.get("location")]).toEqual([302, null]);
    const service = await fetch(`${gateway.url}/api/orders`, { headers, redirect: "manual" });
    expect([service.status, service.headers.get("location")]).toEqual([302, "/elsewhere"]);
    expect(visited).toEqual(["jaeger /api/services", "orders /api/orders"]);
  });
});
