import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { type OtlpSink, startOtlpSink } from "@vitrine/kit/testing/otlp-sink";
import { type Gateway, startGateway } from "./testing/harness.ts";

let collector: OtlpSink;
let gateway: Gateway;
let spans: ReadableSpan[];

beforeAll(async () => {
  collector = await startOtlpSink();
  gateway = await startGateway({ upstreams: { collector: collector.url } });
  const memory = new InMemorySpanExporter();
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] })
    .getTracer("test")
    .startSpan("a span")
    .end();
  spans = memory.getFinishedSpans();
});
afterAll(async () => {
  await gateway.stop();
  await collector.stop();
});
afterEach(() => {
  collector.answer = undefined;
});

/** What the official exporter makes of a token: 0 is success. */
async function exportWith(authorization: string, compression: "gzip" | "none" = "none") {
  const exporter = new OTLPTraceExporter({
    url: `${gateway.otlpUrl}/v1/traces`,
    headers: { authorization },
    compression: compression as never,
    timeoutMillis: 8_000,
  });
  const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly error?: Error }>();
  exporter.export(spans, resolve);
  const result = await promise;
  await exporter.shutdown();
  return result;
}

test.each(["none", "gzip"] as const)("the official exporter delivers a span, compression %s", async (compression) => {
  const before = collector.spans.length;
  const { code } = await exportWith(`Bearer ${await gateway.issuer.sign("traces:write")}`, compression);
  expect(code).toBe(0);
  expect(collector.spans.slice(before)).toMatchObject([{ name: "a span" }]);
  expect(collector.requests.at(-1)?.headers.get("x-client-id")).toBe("test-client");
});

test("the official exporter gives up at once on 401 and 403", async () => {
  const before = collector.requests.length;
  for (const authorization of ["Bearer a.b.c", `Bearer ${await gateway.issuer.sign("logs:write")}`]) {
    const { code, error } = await exportWith(authorization);
    expect(code).toBe(1);
    expect(error).toBeInstanceOf(Error);
  }
  expect(collector.requests.length).toBe(before);
});

test("the official exporter keeps a span through a collector that is overloaded, and heeds Retry-After", async () => {
  const before = collector.spans.length;
  let calls = 0;
  collector.answer = () => {
    calls += 1;
    collector.answer = undefined;
    return new Response("overloaded", { status: 503, headers: { "retry-after": "1" } });
  };
  const startedAt = performance.now();
  const { code } = await exportWith(`Bearer ${await gateway.issuer.sign("traces:write")}`);
  expect([code, calls, collector.spans.length - before]).toEqual([0, 1, 1]);
  expect(performance.now() - startedAt).toBeGreaterThan(900);
});
