import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { routes } from "./routes/table.ts";
import { type Gateway, readStatus, startGateway } from "./testing/harness.ts";

const json = { "content-type": "application/json" };

function withTimeout(timeoutMs: number) {
  return routes.map((route) => Object.assign({}, route, { timeoutMs }));
}

/** A TCP server that treats every connection the same way. */
async function startTcp(onData: (socket: Socket) => void): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => onData(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, server };
}

describe("an upstream that is away", () => {
  let gateway: Gateway;
  let headers: Record<string, string>;

  beforeAll(async () => {
    const { url, server } = await startTcp(() => undefined);
    server.close();
    gateway = await startGateway({ upstreams: { collector: url, orders: url, prometheus: url } });
    headers = await gateway.bearer("telemetry:write telemetry:read orders:read");
  });
  afterAll(() => gateway.stop());

  test("is 503 with Retry-After and a Status, so that exporters keep the data", async () => {
    for (const body of ["{}", new Blob(["{}"]).stream()]) {
      const response = await fetch(`${gateway.otlpUrl}/v1/logs`, {
        method: "POST",
        body,
        headers: { ...headers, ...json },
      });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      expect((await readStatus(response)).code).toBe(14);
    }
    expect(gateway.refusals.at(-1)).toMatchObject({ reason: "upstream_down", upstream: "collector" });
    expect(gateway.lines).toContainEqual(expect.objectContaining({ action: "gateway.upstream_failed" }));
  });

  test("is 503 with Retry-After and a problem that says nothing of the inside", async () => {
    for (const path of ["/api/orders", "/prometheus/api/v1/query"]) {
      const response = await fetch(`${gateway.url}${path}`, { headers });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: "unavailable" });
      expect(text).not.toContain("127.0.0.1");
    }
  });
});

describe("an upstream that is slow or breaks off", () => {
  let gateway: Gateway;
  let headers: Record<string, string>;

  beforeAll(async () => {
    gateway = await startGateway({ routes: withTimeout(300) });
    headers = await gateway.bearer("telemetry:write telemetry:read orders:read");
  });
  afterAll(() => gateway.stop());
  afterEach(() => {
    gateway.answer = undefined;
  });

  test("is 504 with Retry-After once the row's time is up", async () => {
    gateway.answer = () => new Promise<Response>(() => undefined);
    const ingest = await fetch(`${gateway.url}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { ...headers, ...json },
    });
    expect([ingest.status, ingest.headers.get("retry-after")]).toEqual([504, "2"]);
    expect((await readStatus(ingest)).code).toBe(4);
    const read = await fetch(`${gateway.url}/api/orders`, { headers });
    expect([read.status, ((await read.json()) as { code: string }).code]).toEqual([504, "upstream_timeout"]);
  });

  test("is 504 when headers came and the rest did not", async () => {
    gateway.answer = () =>
      new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([123])) }), { headers: json });
    const response = await fetch(`${gateway.url}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { ...headers, ...json },
    });
    expect(response.status).toBe(504);
  });

  test("is 503 when it hangs up without an answer", async () => {
    const { url, server } = await startTcp((socket) => socket.destroy());
    const dropped = await startGateway({ upstreams: { collector: url, orders: url } });
    const bearer = await dropped.bearer("telemetry:write orders:read");
    const ingest = await fetch(`${dropped.url}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { ...bearer, ...json },
    });
    const read = await fetch(`${dropped.url}/api/orders`, { headers: bearer });
    expect([ingest.status, read.status]).toEqual([503, 503]);
    await dropped.stop();
    server.close();
  });

  test("breaks the client's answer off too, instead of ending it as if it were whole", async () => {
    const { url, server } = await startTcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{", () =>
        setTimeout(() => socket.destroy(), 20),
      );
    });
    const broken = await startGateway({ upstreams: { orders: url } });
    const response = await fetch(`${broken.url}/api/orders`, { headers: await broken.bearer("orders:read") });
    expect(response.status).toBe(200);
    const outcome = await response.arrayBuffer().then(
      () => "whole",
      () => "broken off",
    );
    expect(outcome).toBe("broken off");
    expect(broken.lines).toContainEqual(
      expect.objectContaining({ action: "gateway.upstream_failed", message: "an answer of orders broke off" }),
    );
    expect(broken.limits.load().upstream).toBe(0);
    await broken.stop();
    server.close();
  });

  test("is 502 when a short answer breaks off: nothing of it has gone out yet", async () => {
    const { url, server } = await startTcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", () =>
        setTimeout(() => socket.destroy(), 20),
      );
    });
    const broken = await startGateway({ upstreams: { orders: url } });
    const response = await fetch(`${broken.url}/api/orders`, { headers: await broken.bearer("orders:read") });
    expect([response.status, response.headers.get("retry-after")]).toEqual([502, "2"]);
    expect(broken.refusals).toMatchObject([{ reason: "upstream_failed", upstream: "orders" }]);
    await broken.stop();
    server.close();
  });
});

describe("a proxied answer", () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());
  afterEach(() => {
    gateway.answer = undefined;
  });

  test("streams: the first part arrives while the upstream still writes", async () => {
    const more = Promise.withResolvers<void>();
    gateway.answer = () =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(Buffer.from("first"));
            await more.promise;
            controller.enqueue(Buffer.from("second"));
            controller.close();
          },
        }),
      );
    const headers = await gateway.bearer("telemetry:read");
    const response = await fetch(`${gateway.url}/loki/api/v1/query_range`, { headers });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("first");
    more.resolve();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("second");
  });

  test.each([401, 403])(
    "of an engine is 502 when it is %d: the caller's token was judged here, and was good",
    async (status) => {
      gateway.answer = () => new Response("no org id", { status });
      const headers = await gateway.bearer("telemetry:read");
      const response = await fetch(`${gateway.url}/loki/api/v1/labels`, { headers });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([502, "upstream_failed"]);
    },
  );

  test("keeps the encoding the client asked for, byte for byte", async () => {
    const packed = Bun.gzipSync(Buffer.from('{"a":1}'));
    gateway.answer = (request) =>
      request.headers.get("accept-encoding") === "gzip"
        ? new Response(packed, { headers: { "content-encoding": "gzip", ...json } })
        : Response.json({ a: 1 });
    const headers = await gateway.bearer("telemetry:read");
    const url = `${gateway.url}/prometheus/api/v1/query?query=up`;
    const raw = await fetch(url, { headers: { ...headers, "accept-encoding": "gzip" }, decompress: false });
    expect(Buffer.compare(new Uint8Array(await raw.arrayBuffer()), packed)).toBe(0);
    const plain = await fetch(url, { headers: { ...headers, "accept-encoding": "identity" } });
    expect(await plain.json()).toEqual({ a: 1 });
  });

  test.each([200, 201, 204, 304, 400, 404, 409, 422, 500, 503])("keeps status %d", async (status) => {
    gateway.answer = () => new Response(status === 204 || status === 304 ? null : "{}", { status });
    const response = await fetch(`${gateway.url}/api/orders`, { headers: await gateway.bearer("orders:read") });
    expect(response.status).toBe(status);
  });

  test("to HEAD has headers and no body", async () => {
    const response = await fetch(`${gateway.url}/api/orders`, {
      method: "HEAD",
      headers: await gateway.bearer("orders:read"),
    });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(gateway.seen.at(-1)?.method).toBe("HEAD");
  });

  test("carries path, query, method and body of the request as they were", async () => {
    const headers = {
      ...(await gateway.bearer("telemetry:read orders:write")),
      "content-type": "application/x-www-form-urlencoded",
    };
    await fetch(`${gateway.url}/prometheus/api/v1/query?time=1&x=%2F%2e%2e`, {
      method: "POST",
      body: "query=up",
      headers,
    });
    expect(gateway.seen.at(-1)).toMatchObject({
      upstream: "prometheus",
      method: "POST",
      path: "/api/v1/query",
      query: "?time=1&x=%2F%2e%2e",
    });
    expect(Buffer.from(gateway.seen.at(-1)?.body ?? []).toString()).toBe("query=up");
    await fetch(`${gateway.url}/loki/api/v1/label/a%20b/values`, { headers });
    expect(gateway.seen.at(-1)).toMatchObject({ upstream: "loki", path: "/loki/api/v1/label/a%20b/values" });
    await fetch(`${gateway.url}/metrics/orders`, { headers });
    expect(gateway.seen.at(-1)).toMatchObject({ upstream: "orders", path: "/metrics" });
  });

  test("is not waited for once the client has left", async () => {
    const left = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    gateway.answer = (request) => {
      request.signal.addEventListener("abort", () => left.resolve());
      arrived.resolve();
      return new Promise<Response>(() => undefined);
    };
    const client = new AbortController();
    const headers = await gateway.bearer("orders:read");
    const pending = fetch(`${gateway.url}/api/orders`, { headers, signal: client.signal }).catch(() => "left");
    await arrived.promise;
    client.abort();
    expect(await pending).toBe("left");
    await left.promise;
    expect(gateway.refusals.filter(({ reason }) => reason === "internal")).toEqual([]);
  });

  test("to a body past an API's cap is 413, and 415 to a compressed one", async () => {
    const headers = { ...(await gateway.bearer("orders:write")), ...json };
    const large = await fetch(`${gateway.url}/api/orders`, {
      method: "POST",
      body: new Uint8Array(1_048_577),
      headers,
    });
    expect([large.status, ((await large.json()) as { code: string }).code]).toEqual([413, "payload_too_large"]);
    const packed = await fetch(`${gateway.url}/api/orders`, {
      method: "POST",
      body: "x",
      headers: { ...headers, "content-encoding": "gzip" },
    });
    expect(packed.status).toBe(415);
  });
});

describe("a token that cannot be judged", () => {
  test.each([
    ["down", () => Promise.reject(new Error("connection refused"))],
    ["answering 500", () => Promise.resolve(new Response("x", { status: 500 }))],
    ["answering garbage", () => Promise.resolve(new Response("<html>"))],
    ["without a usable key", () => Promise.resolve(Response.json({ keys: [{ kty: "oct", k: "AAAA" }] }))],
    ["redirecting", () => Promise.resolve(new Response(null, { status: 302, headers: { location: "/" } }))],
  ])("key set %s: 503 with Retry-After, never 401 and never a pass", async (_, fetchKeys: () => Promise<Response>) => {
    const issuer = await createTestIssuer();
    let calls = 0;
    const verifier = createTokenVerifier({
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      issuer: issuer.issuer,
      audience: issuer.audience,
      fetch: () => {
        calls += 1;
        return fetchKeys();
      },
    });
    const gateway = await startGateway({ verifier });
    const headers = { authorization: `Bearer ${await issuer.sign("telemetry:write orders:read")}` };
    for (let at = 0; at < 10; at += 1) {
      const ingest = await fetch(`${gateway.url}/v1/logs`, {
        method: "POST",
        body: "{}",
        headers: { ...headers, ...json },
      });
      expect([ingest.status, ingest.headers.get("retry-after")]).toEqual([503, "2"]);
      expect((await readStatus(ingest)).code).toBe(14);
      const read = await fetch(`${gateway.url}/api/orders`, { headers });
      expect([read.status, read.headers.get("retry-after")]).toEqual([503, "2"]);
    }
    expect(calls).toBeLessThanOrEqual(2);
    expect(gateway.seen).toEqual([]);
    expect(gateway.refusals.every(({ reason }) => reason === "cannot_verify")).toBe(true);
    await gateway.stop();
  });
});
