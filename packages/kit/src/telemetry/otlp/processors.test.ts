import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider } from "@opentelemetry/sdk-logs";
import { createAlwaysRecordSampler, AlwaysOffSampler, type Sampler, TracerProvider } from "@opentelemetry/sdk-trace";
import protobuf from "protobufjs";
import { type BatchOptions, logRecordProcessor, spanProcessor } from "./processors.ts";

interface Loss {
  readonly signal: string;
  readonly reason: string;
  readonly bytes: number;
}

const requests = protobuf.parse(await Bun.file(join(import.meta.dir, "../../testing/otlp.proto")).text()).root;

interface Decoded {
  readonly resourceSpans?: readonly {
    readonly resource: {
      readonly attributes?: readonly { readonly key: string; readonly value: { stringValue: string } }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly unknown[] }[];
  }[];
}

function itemsOf(batch: Uint8Array): { readonly items: number; readonly services: readonly string[] } {
  const type = requests.lookupType("Traces");
  const { resourceSpans = [] } = type.toObject(type.decode(batch)) as Decoded;
  const attributes = resourceSpans.flatMap(({ resource }) => resource.attributes ?? []);
  return {
    items: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).length,
    services: attributes.flatMap(({ key, value }) => (key === "service.name" ? [value.stringValue] : [])),
  };
}

function open(options: Partial<BatchOptions> = {}) {
  const batches: Uint8Array[] = [];
  const losses: Loss[] = [];
  const ends: string[] = [];
  const settings: BatchOptions = {
    delayMs: 60_000,
    maxItems: 1_000,
    maxWaiting: 1_000,
    sender: {
      push: (batch) => void batches.push(batch.slice()),
      flush: async () => ends.push("flush") > 0,
      shutdown: async () => void ends.push("shutdown"),
    },
    onDrop: (signal, reason, bytes) => losses.push({ signal, reason, bytes }),
    ...options,
  };
  const counts = () => {
    const decoded = batches.map((batch) => itemsOf(batch));
    return {
      items: decoded.reduce((total, { items }) => total + items, 0),
      services: decoded.flatMap(({ services }) => services),
    };
  };
  return { settings, batches, losses, ends, counts };
}

const spanned = (
  settings: BatchOptions,
  more: { readonly resource?: Resource; readonly sampler?: Sampler } = {},
): TracerProvider => new TracerProvider({ ...more, spanProcessors: [spanProcessor(settings)] });

const end = (provider: TracerProvider, spans: number) => {
  for (let n = 0; n < spans; n++) provider.getTracer("test").startSpan(`span ${n}`).end();
};

describe("batches of bytes", () => {
  test("are handed over when they are full, and the rest when it is flushed", async () => {
    const { settings, batches, counts } = open({ maxItems: 10 });
    const provider = spanned(settings);
    end(provider, 25);
    expect(batches).toHaveLength(2);
    await provider.forceFlush();
    expect([batches.length, counts().items]).toEqual([3, 25]);
  });

  test("are handed over when their time has come", async () => {
    const pushed = Promise.withResolvers<void>();
    const { settings, counts, batches } = open({ delayMs: 1 });
    const sender = {
      ...settings.sender,
      push: (batch: Uint8Array) => {
        batches.push(batch.slice());
        pushed.resolve();
      },
    };
    end(spanned({ ...settings, sender }), 3);
    await pushed.promise;
    expect(counts().items).toBe(3);
  });

  test("are handed over before they are larger than receivers take", () => {
    const { settings, batches } = open();
    const provider = spanned(settings);
    const attributes = { text: "x".repeat(100_000) };
    for (let n = 0; n < 23; n++) provider.getTracer("test").startSpan("large", { attributes }).end();
    expect(batches).toHaveLength(2);
    for (const batch of batches) expect(batch.byteLength).toBeLessThan(1_200_000);
  });

  test("hold nothing the sampler left out, recorded or not", async () => {
    const { settings, counts } = open();
    const provider = spanned(settings, { sampler: createAlwaysRecordSampler(new AlwaysOffSampler()) });
    const parent = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: TraceFlags.NONE };
    const span = provider.getTracer("test").startSpan("", {}, trace.setSpanContext(ROOT_CONTEXT, parent));
    expect(span.isRecording()).toBe(true);
    span.end();
    await provider.forceFlush();
    expect(counts().items).toBe(0);
  });

  test("end with the sender, which is flushed and closed", async () => {
    const { settings, counts, ends } = open();
    const provider = spanned(settings);
    end(provider, 2);
    await provider.shutdown();
    expect(counts().items).toBe(2);
    expect(ends.at(-1)).toBe("shutdown");
  });
});

test("what ends while the processor is being closed is sent or counted", async () => {
  const { settings, losses, counts } = open();
  const processor = spanProcessor(settings);
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer("test");
  const closing = processor.shutdown();
  tracer.startSpan("at once").end();
  await closing;
  expect([counts().items, losses]).toEqual([1, []]);
});

describe("what is given up is counted, in bytes, by reason", () => {
  test("when it comes after the end", async () => {
    const { settings, losses, batches } = open();
    const processor = spanProcessor(settings);
    const provider = new TracerProvider({ spanProcessors: [processor] });
    const late = provider.getTracer("test").startSpan("late");
    await processor.shutdown();
    late.end();
    expect(batches).toHaveLength(0);
    expect(losses).toEqual([{ signal: "traces", reason: "shutdown", bytes: expect.any(Number) }]);
    expect(losses[0]?.bytes).toBeGreaterThan(50);
  });

  test("when more waits for the resource than may, and no more than that", async () => {
    const asked = Promise.withResolvers<string>();
    const resource = resourceFromAttributes({ "service.name": asked.promise });
    const { settings, losses, counts, batches } = open({ maxItems: 10, maxWaiting: 30 });
    const provider = spanned(settings, { resource });
    end(provider, 35);
    expect(batches).toHaveLength(0);
    expect(losses.map(({ reason }) => reason)).toEqual(Array<string>(5).fill("buffer_full"));
    asked.resolve("slow");
    await provider.forceFlush();
    expect(counts()).toMatchObject({ items: 30, services: ["slow"] });
  });

  test("when it cannot be encoded, without harm to what stands beside it", async () => {
    const { settings, losses, batches } = open();
    const processor = logRecordProcessor(settings);
    const logger = new LoggerProvider({ processors: [processor] }).getLogger("test");
    const circle: { self?: object } = {};
    circle.self = circle;
    logger.emit({ body: "before" });
    logger.emit({ body: circle });
    logger.emit({ body: "after" });
    await processor.forceFlush();
    const type = requests.lookupType("Logs");
    expect(batches.map((batch) => type.toObject(type.decode(batch)))).toMatchObject([
      {
        resourceLogs: [
          { scopeLogs: [{ logRecords: [{ body: { stringValue: "before" } }, { body: { stringValue: "after" } }] }] },
        ],
      },
    ]);
    expect(losses).toEqual([{ signal: "logs", reason: "refused", bytes: 0 }]);
  });
});
