import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { withRequestScope } from "./context.ts";
import { tracedFetch } from "./fetch.ts";
import { freePort } from "./testing/postgres.ts";
import { startTestTelemetry, type TestTelemetry } from "./testing/telemetry.ts";

let telemetry: TestTelemetry;
let upstream: Bun.Server<undefined>;
let seen: { readonly method: string; readonly path: string; readonly headers: Headers }[] = [];

beforeAll(() => {
  telemetry = startTestTelemetry();
  upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      seen.push({ method: request.method, path: pathname, headers: request.headers });
      if (pathname === "/hang") await new Promise(() => undefined);
      if (pathname === "/drip") {
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue("a") }));
      }
      if (pathname === "/moved") return new Response("", { status: 302, headers: { location: "/elsewhere" } });
      return new Response("answer", { status: Number(pathname.slice(1)) || 200 });
    },
  });
});

afterEach(() => {
  telemetry.reset();
  seen = [];
});

afterAll(async () => {
  await upstream.stop(true);
  await telemetry.stop();
});

/** The request to this path: others may come in late, from a test that gave them up. */
const requestTo = (path: string) => seen.find((request) => request.path === path);

const to = (path: string) => new URL(path, upstream.url);

describe("a call", () => {
  test("carries trace and request id to the other side and is one client span", async () => {
    const parent = trace.getTracer("test").startSpan("parent");
    const scope = withRequestScope(trace.setSpan(ROOT_CONTEXT, parent), { requestId: "id-1" });
    const answer = await context.with(scope, () => tracedFetch(to("/orders/1?token=hidden"), { timeoutMs: 10_000 }));
    expect(await answer.text()).toBe("answer");
    parent.end();
    const span = telemetry.spans().find(({ kind }) => kind === SpanKind.CLIENT);
    const { traceId } = parent.spanContext();
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(requestTo("/orders/1")?.headers.get("traceparent")).toBe(
      `00-${traceId}-${span?.spanContext().spanId ?? ""}-01`,
    );
    expect(requestTo("/orders/1")?.headers.get("x-request-id")).toBe("id-1");
    expect(span?.attributes).toMatchObject({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "server.address": "127.0.0.1",
      "server.port": Number(upstream.port),
      "url.full": `${upstream.url.origin}/orders/1`,
    });
    expect(JSON.stringify(telemetry.spans().map(({ attributes }) => attributes))).not.toContain("hidden");
  });

  test("leaves a request id that the caller chose, and its other headers and body, as they are", async () => {
    const scope = withRequestScope(ROOT_CONTEXT, { requestId: "id-1" });
    const headers = { "x-request-id": "own", authorization: "Bearer hidden" };
    await context.with(scope, () =>
      tracedFetch(to("/own"), { method: "POST", headers, body: "body", timeoutMs: 10_000 }),
    );
    const request = requestTo("/own");
    expect(request?.method).toBe("POST");
    expect(request?.headers.get("x-request-id")).toBe("own");
    expect(request?.headers.get("authorization")).toBe("Bearer hidden");
    expect(Bun.inspect(telemetry.spans()[0]?.attributes)).not.toContain("hidden");
  });

  test.each([404, 500])("that is answered by %d returns the answer and marks the span", async (status) => {
    const answer = await tracedFetch(to(`/${status}`), { timeoutMs: 10_000 });
    expect(answer.status).toBe(status);
    expect(telemetry.spans()[0]?.status.code).toBe(SpanStatusCode.ERROR);
    expect(telemetry.spans()[0]?.attributes["error.type"]).toBe(String(status));
  });

  test("never follows a redirect, whatever it is asked", async () => {
    const insisting: object = { redirect: "follow" };
    const answer = await tracedFetch(to("/moved"), { timeoutMs: 10_000, ...insisting });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/elsewhere"]);
    expect(requestTo("/moved")).toBeDefined();
    expect(requestTo("/elsewhere")).toBeUndefined();
  });

  test("in a context without tracing makes no span and passes no trace on", async () => {
    await context.with(suppressTracing(ROOT_CONTEXT), () => tracedFetch(to("/quiet"), { timeoutMs: 10_000 }));
    expect(telemetry.spans()).toHaveLength(0);
    expect(requestTo("/quiet")?.headers.has("traceparent")).toBe(false);
  });
});

describe("a call without an answer", () => {
  test("past its deadline is upstream_timeout", async () => {
    const call = tracedFetch(to("/hang"), { timeoutMs: 30 });
    await expect(call).rejects.toMatchObject({ code: "upstream_timeout", status: 504 });
    expect(telemetry.spans()[0]?.attributes["error.type"]).toBe("upstream_timeout");
    expect(telemetry.spans()[0]?.status.code).toBe(SpanStatusCode.ERROR);
  });

  test("whose connection is refused is unavailable, with Retry-After", async () => {
    const call = tracedFetch(`http://127.0.0.1:${await freePort()}/`, { timeoutMs: 10_000 });
    await expect(call).rejects.toMatchObject({ code: "unavailable", reason: "upstream_down" });
    await expect(call).rejects.toMatchObject({ headers: { "retry-after": "2" } });
    expect(telemetry.spans()[0]?.attributes["error.type"]).toBe("unavailable");
  });

  test("that the caller gave up is told as the caller's own, and its span ends", async () => {
    const leaving = new AbortController();
    const call = tracedFetch(to("/hang"), { timeoutMs: 10_000, signal: leaving.signal });
    leaving.abort();
    await expect(call).rejects.toHaveProperty("name", "AbortError");
    expect(telemetry.spans()[0]?.attributes["error.type"]).toBe("aborted");
  });

  test("to the end is cut off by the deadline while its body is read", async () => {
    const answer = await tracedFetch(to("/drip"), { timeoutMs: 2_000 });
    await expect(answer.text()).rejects.toHaveProperty("name", "TimeoutError");
  });
});

test("Bun's own fetch is not traced: it passes no trace on", async () => {
  const parent = trace.getTracer("test").startSpan("parent");
  await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => fetch(to("/plain")));
  parent.end();
  expect(requestTo("/plain")?.headers.has("traceparent")).toBe(false);
  expect(telemetry.spans()).toHaveLength(1);
});
