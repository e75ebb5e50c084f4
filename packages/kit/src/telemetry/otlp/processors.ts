import { TraceFlags } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { LogRecordProcessor, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { DropReason, OtlpSender, Signal } from "../otlp-sender.ts";
import { Batch, type Item } from "./batch.ts";
import { writeLogRecord } from "./log-record.ts";
import { writeSpan } from "./span.ts";
import type { ProtobufWriter } from "./writer.ts";

export interface BatchOptions {
  readonly sender: Pick<OtlpSender, "push" | "flush" | "shutdown">;
  /** Milliseconds after which what came is handed over, however little it is. */
  readonly delayMs: number;
  /** Items handed over at once, without waiting for the delay. */
  readonly maxItems: number;
  /** Items held while attributes of the resource are still being asked for; past it new ones are given up. */
  readonly maxWaiting: number;
  /** Told of every item given up here, in bytes; must not throw. */
  readonly onDrop: (signal: Signal, reason: DropReason, bytes: number, detail: string) => void;
}

/** Bytes after which a batch is handed over before its time: receivers bound what they take at once. */
const maxBatchBytes = 1_048_576;
/** The SDK waits for it twice when it stops, to flush and to close; a stopping service has ten seconds in all. */
const flushTimeoutMs = 2_000;

/**
 * Encodes each item at once and hands batches of bytes to the sender, which answers for them from there on. The
 * processors of the SDK hold the objects instead and encode hundreds of them in one go, while requests wait.
 */
class Batcher<T extends Item> {
  readonly #signal: Signal;
  readonly #options: BatchOptions;
  readonly #batch: Batch<T>;
  readonly #write: (writer: ProtobufWriter, item: T) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resource: Promise<void> | undefined;
  #closed = false;

  constructor(signal: Signal, write: (writer: ProtobufWriter, item: T) => void, options: BatchOptions) {
    this.#signal = signal;
    this.#options = options;
    this.#batch = new Batch(write);
    this.#write = write;
  }

  /** Never throws: telemetry is not what breaks a request. */
  add(item: T): void {
    const { maxItems, maxWaiting, onDrop } = this.#options;
    if (this.#closed || this.#batch.count >= Math.max(maxItems, maxWaiting)) {
      const reason = this.#closed ? "shutdown" : "buffer_full";
      onDrop(
        this.#signal,
        reason,
        sizeOf(this.#write, item),
        this.#closed ? "ended after shutdown" : "too many waiting",
      );
      return;
    }
    try {
      this.#batch.add(item);
    } catch (error) {
      onDrop(this.#signal, "refused", 0, `cannot be encoded: ${String(error)}`);
      return;
    }
    if (this.#batch.count >= maxItems || this.#batch.bytes >= maxBatchBytes) this.#handOver();
    else this.#timer ??= this.#startTimer();
  }

  /** Bytes of the batch being filled, which the sender does not know of yet. */
  get pendingBytes(): number {
    return this.#batch.bytes;
  }

  async flush(): Promise<void> {
    this.#handOver();
    await this.#resource;
    await this.#options.sender.flush(flushTimeoutMs);
  }

  async shutdown(): Promise<void> {
    this.#handOver();
    await this.#resource;
    // What came meanwhile goes too: once it is closed, nobody would.
    this.#handOver();
    this.#closed = true;
    await this.#options.sender.shutdown(flushTimeoutMs);
  }

  #startTimer(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => this.#handOver(), this.#options.delayMs);
    timer.unref();
    return timer;
  }

  #handOver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#resource !== undefined) return;
    const pending = [...this.#batch.resources()].filter((resource) => resource.asyncAttributesPending === true);
    if (pending.length > 0) {
      this.#resource = this.#pushOnceKnown(pending);
      return;
    }
    this.#push();
  }

  async #pushOnceKnown(resources: readonly Resource[]): Promise<void> {
    await Promise.allSettled(resources.map(async (resource) => resource.waitForAsyncAttributes?.()));
    this.#resource = undefined;
    this.#push();
  }

  #push(): void {
    const bytes = this.#batch.take();
    if (bytes !== undefined) this.#options.sender.push(bytes);
  }
}

/** Bytes of an item nobody will send: what is given up is counted as if it had been. */
function sizeOf<T extends Item>(write: (writer: ProtobufWriter, item: T) => void, item: T): number {
  const batch = new Batch(write);
  try {
    batch.add(item);
  } catch {
    // It would not have been sent either.
  }
  return batch.bytes;
}

/** What a processor holds that it has not handed to its sender. */
export interface Held {
  readonly pendingBytes: number;
}

/** Spans to OTLP as they end; those the sampler did not choose are left out. */
export function spanProcessor(options: BatchOptions): SpanProcessor & Held {
  const batcher = new Batcher<ReadableSpan>("traces", writeSpan, options);
  return {
    get pendingBytes() {
      return batcher.pendingBytes;
    },
    onStart: () => undefined,
    onEnd: (span) => {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) batcher.add(span);
    },
    forceFlush: () => batcher.flush(),
    shutdown: () => batcher.shutdown(),
  };
}

/** Log records to OTLP as they are emitted. */
export function logRecordProcessor(options: BatchOptions): LogRecordProcessor & Held {
  const batcher = new Batcher<ReadableLogRecord>("logs", writeLogRecord, options);
  return {
    get pendingBytes() {
      return batcher.pendingBytes;
    },
    onEmit: (record) => batcher.add(record),
    forceFlush: () => batcher.flush(),
    shutdown: () => batcher.shutdown(),
  };
}
