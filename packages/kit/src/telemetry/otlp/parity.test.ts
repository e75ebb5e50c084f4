import { describe, expect, test } from "bun:test";
import {
  type AnyValue,
  context,
  createTraceState,
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { Batch, type Item } from "./batch.ts";
import { writeLogRecord } from "./log-record.ts";
import { writeSpan } from "./span.ts";
import type { ProtobufWriter } from "./writer.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const remote = { traceId, spanId: "b7ad6b7169203331", traceFlags: TraceFlags.SAMPLED, isRemote: true };

/** Every kind of value an attribute can hold, at the edges of how it is encoded. */
const values: Readonly<Record<string, AnyValue>> = {
  text: "a",
  empty: "",
  "not ascii": "Café ☕ 🏛 \ud800",
  "39": "x".repeat(39),
  "40": "x".repeat(40),
  "127 bytes": "x".repeat(127),
  "128 bytes": "x".repeat(128),
  "127 units, more bytes": "é".repeat(127),
  "16384 bytes": "x".repeat(16_384),
  "20000 units": "☕".repeat(20_000),
  true: true,
  false: false,
  zero: 0,
  "minus zero": -0,
  int: 127,
  "two bytes": 128,
  "32 bits": 2 ** 32 - 1,
  "33 bits": 2 ** 32,
  safe: Number.MAX_SAFE_INTEGER,
  "63 bits": 2 ** 62,
  "too large": 2 ** 63,
  negative: -1,
  "minus 32 bits": -(2 ** 32),
  "minus 2^40 - 1": -(2 ** 40) - 1,
  lowest: -(2 ** 63),
  half: 0.5,
  nan: Number.NaN,
  infinite: Number.POSITIVE_INFINITY,
  texts: ["a", "", "☕"],
  numbers: [1, 2.5, -3],
  nothing: [],
  holes: ["a", null, "b"],
  bytes: new Uint8Array([0, 255, 7]),
  map: { a: 1, b: { c: ["d", true], e: null } },
  null: null,
  "a key of more than forty characters, not ASCII ☕": 1,
};

const resource = resourceFromAttributes(
  { "service.name": "parity", list: ["a", "b"], n: 3 },
  {
    schemaUrl: "https://opentelemetry.io/schemas/1.40.0",
  },
);

function encode<T extends Item>(write: (writer: ProtobufWriter, item: T) => void, items: readonly T[]): Uint8Array {
  const batch = new Batch(write);
  for (const item of items) batch.add(item);
  return batch.take() ?? new Uint8Array();
}

const official = (spans: ReadableSpan[]) => Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []);
const ours = (spans: readonly ReadableSpan[]) => Buffer.from(encode(writeSpan, spans));

function makeSpans(make: (provider: TracerProvider) => void): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    spanLimits: { attributeCountLimit: 40, eventCountLimit: 3, linkCountLimit: 2, attributePerEventCountLimit: 2 },
  });
  make(provider);
  return exporter.getFinishedSpans();
}

describe("spans have the bytes of the official serialiser", () => {
  test("with attributes of every kind", () => {
    const spans = makeSpans((provider) => {
      provider.getTracer("scope").startSpan("all", { attributes: values }).end();
    });
    expect(ours(spans).equals(official(spans))).toBe(true);
    expect(spans[0]?.attributes["text"]).toBe("a");
  });

  test("with events, links, status, kinds, trace state, remote and local parents, and times of the caller", () => {
    const spans = makeSpans((provider) => {
      const tracer = provider.getTracer("scope", "1.2.3", { schemaUrl: "https://example.test/schema" });
      for (const kind of [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
        const state = createTraceState("vendor=value,other=1");
        const parent = trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceState: state });
        const span = tracer.startSpan(
          `kind ${kind}`,
          { kind, links: [{ context: remote, attributes: values }] },
          parent,
        );
        const child = tracer.startSpan(
          "child",
          { startTime: [1_700_000_000, 999_999_999] },
          trace.setSpan(parent, span),
        );
        child.addEvent("first", { a: 1, b: 2, dropped: 3 });
        child.recordException(new TypeError("broken"));
        child.setStatus({ code: SpanStatusCode.ERROR, message: "a reason ☕" });
        child.addLink({ context: span.spanContext(), attributes: { n: 1 } });
        child.end([1_700_000_001, 1]);
        span.setStatus({ code: SpanStatusCode.OK });
        span.addEvent("");
        span.end(new Date(4_102_444_800_123));
      }
    });
    expect(spans).toHaveLength(10);
    expect(ours(spans).equals(official(spans))).toBe(true);
  });

  test("past the limits, with what was dropped counted", () => {
    const spans = makeSpans((provider) => {
      const span = provider.getTracer("scope").startSpan("limits");
      for (let n = 0; n < 50; n++) span.setAttribute(`key ${n}`, n);
      for (let n = 0; n < 5; n++) span.addEvent(`event ${n}`, { a: 1, b: 2, c: 3 });
      for (let n = 0; n < 300; n++) span.addLink({ context: remote });
      span.end();
    });
    const [span] = spans;
    expect([span?.droppedAttributesCount, span?.droppedEventsCount, span?.droppedLinksCount]).toEqual([10, 2, 298]);
    expect(ours(spans).equals(official(spans))).toBe(true);
  });

  test("of many scopes in one batch, and of a second batch in the same buffers", () => {
    const spans = makeSpans((provider) => {
      for (let n = 0; n < 400; n++) {
        const attributes = { n, text: "x".repeat(n), [`key ${n}`]: n };
        provider
          .getTracer(`scope ${n % 12}`)
          .startSpan(`span ${n}`, { attributes })
          .end();
      }
    });
    const batch = new Batch(writeSpan);
    for (const half of [spans.slice(0, 200), spans.slice(200)]) {
      for (const span of half) batch.add(span);
      expect(Buffer.from(batch.take() ?? []).equals(official(half))).toBe(true);
    }
    expect(batch.take()).toBeUndefined();
  });
});

describe("log records have the bytes of the official serialiser", () => {
  function makeRecords(make: (provider: LoggerProvider) => void): readonly ReadableLogRecord[] {
    const exporter = new InMemoryLogRecordExporter();
    const processors = [new SimpleLogRecordProcessor({ exporter })];
    make(new LoggerProvider({ resource, processors, logRecordLimits: { attributeCountLimit: 40 } }));
    return exporter.getFinishedLogRecords();
  }

  const bodies: readonly AnyValue[] = [
    "text",
    "",
    1,
    0.5,
    true,
    null,
    ["a", 1, { b: undefined }],
    values,
    new Uint8Array(3),
  ];

  test.each(bodies.map((body, n) => [n, body] as const))("with body %#", (_, body) => {
    const records = makeRecords((provider) =>
      provider.getLogger("scope").emit({ body, severityNumber: SeverityNumber.UNSPECIFIED }),
    );
    const expected = Buffer.from(ProtobufLogsSerializer.serializeRequest([...records]) ?? []);
    expect(Buffer.from(encode(writeLogRecord, records)).equals(expected)).toBe(true);
  });

  test("with attributes, severities, times, event names and the trace they stand in", () => {
    const records = makeRecords((provider) => {
      const logger = provider.getLogger("scope", "2", { attributes: { a: 1 } });
      const within = trace.setSpanContext(ROOT_CONTEXT, remote);
      const unsampled = trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: TraceFlags.NONE });
      for (const scope of [context.active(), within, unsampled])
        logger.emit({
          context: scope,
          body: "b",
          attributes: { ...values, ...Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, n])) },
          severityNumber: SeverityNumber.ERROR2,
          severityText: "error",
          timestamp: new Date(1_700_000_000_123),
          observedTimestamp: [1_700_000_000, 5],
          eventName: "an.event",
        });
      logger.emit({});
    });
    expect(records[0]?.droppedAttributesCount).toBeGreaterThan(0);
    const expected = Buffer.from(ProtobufLogsSerializer.serializeRequest([...records]) ?? []);
    expect(Buffer.from(encode(writeLogRecord, records)).equals(expected)).toBe(true);
  });
});
