import { gzipSync } from "node:zlib";

export type Signal = "traces" | "metrics" | "logs";
export type DropReason = "refused" | "buffer_full" | "shutdown";

export interface OtlpSenderOptions {
  readonly signal: Signal;
  /** Full address, path included. */
  readonly url: string;
  /** Read before every request, so that a token can be renewed; a rejection counts as "try again later". */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** Told that the endpoint answered 401, so that the next `headers()` brings a fresh token. */
  readonly onUnauthorized?: () => void;
  readonly compression: "gzip" | "none";
  /** Deadline of one request, its token included, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes held, as they are sent, while the endpoint does not take them; past it the oldest batch is given up. */
  readonly maxBufferBytes: number;
  /** Told of every byte given up; must not throw. */
  readonly onDrop: (signal: Signal, reason: DropReason, bytes: number, detail: string) => void;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly random?: () => number;
}

/** OTLP/HTTP: these and a broken connection are tried again, every other failure is final (OTLP spec, "Failures"). */
const retryableStatus: ReadonlySet<number> = new Set([401, 429, 502, 503, 504]);

const firstBackoffMs = 250;
const maxBackoffMs = 5_000;
const maxRetryAfterMs = 30_000;

/**
 * Sends encoded batches of one signal in order, one at a time, and holds them while the endpoint is away. The SDK's
 * own transport gives a batch up after ten seconds; this one keeps it until the buffer is full, and counts every byte
 * it gives up: what was pushed is accepted, dropped or pending, never two of them. 401 is held too: with a token that
 * is renewed it means "not yet", not "never".
 */
export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #pendingBytes = 0;
  #sending: Promise<void> | undefined;
  /** The request on its way out: its batch is not given up, unless the process ends. */
  #inFlight: { readonly batch: Uint8Array<ArrayBuffer>; readonly controller: AbortController } | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes a batch; never throws and never blocks. */
  push(batch: Uint8Array): void {
    const body = this.#options.compression === "gzip" ? gzipSync(batch) : batch.slice();
    if (this.#closed) {
      this.#drop(body.byteLength, "shutdown", "pushed after shutdown");
      return;
    }
    this.#queue.push(body);
    this.#pendingBytes += body.byteLength;
    while (this.#pendingBytes > this.#options.maxBufferBytes && this.#queue.length > 1) {
      const [oldest] = this.#queue.splice(this.#inFlight?.batch === this.#queue[0] ? 1 : 0, 1);
      if (oldest === undefined) break;
      this.#pendingBytes -= oldest.byteLength;
      this.#drop(oldest.byteLength, "buffer_full", `more than ${this.#options.maxBufferBytes} bytes waiting`);
    }
    this.#sending ??= this.#drain();
  }

  /** Resolves when the buffer is empty or `timeoutMs` has passed; true when it is empty. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#wake?.();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([this.#sending ?? Promise.resolve(), promise]);
    clearTimeout(timer);
    return this.#queue.length === 0;
  }

  /** Sends what it can within `timeoutMs`, then counts the rest as dropped. */
  async shutdown(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#closed = true;
    const left = this.#pendingBytes;
    this.#queue.length = 0;
    this.#pendingBytes = 0;
    if (left > 0) this.#drop(left, "shutdown", "still waiting when the process ended");
    // A hanging endpoint must not keep the process alive.
    this.#inFlight?.controller.abort();
    this.#wake?.();
  }

  async #drain(): Promise<void> {
    let failures = 0;
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      const outcome = await this.#send(batch);
      // Shutdown has counted it meanwhile.
      if (this.#queue[0] !== batch) continue;
      if (outcome.kind === "retry") {
        await this.#wait(outcome.afterMs ?? this.#backoff(failures));
        failures += 1;
        continue;
      }
      failures = 0;
      this.#queue.shift();
      this.#pendingBytes -= batch.byteLength;
      if (outcome.kind === "refused") this.#drop(batch.byteLength, "refused", outcome.detail);
    }
    // In the same step as the last look at the queue: a later push must find that nobody is sending.
    this.#sending = undefined;
  }

  async #send(batch: Uint8Array<ArrayBuffer>): Promise<Outcome> {
    const { url, timeoutMs, compression } = this.#options;
    const controller = new AbortController();
    this.#inFlight = { batch, controller };
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      const response = await (this.#options.fetch ?? fetch)(url, {
        method: "POST",
        headers: {
          ...(await this.#options.headers()),
          "content-type": "application/x-protobuf",
          ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
        },
        body: batch,
        redirect: "manual",
        signal: controller.signal,
      });
      const answer = await response.arrayBuffer();
      if (response.ok) return { kind: "sent" };
      if (response.status === 401) this.#options.onUnauthorized?.();
      if (!retryableStatus.has(response.status)) {
        return {
          kind: "refused",
          detail: `${url} answered ${response.status}: ${printable(answer)}`,
        };
      }
      const afterMs = retryAfterMs(response.headers.get("retry-after"));
      return afterMs === undefined ? { kind: "retry" } : { kind: "retry", afterMs };
    } catch {
      return { kind: "retry" };
    } finally {
      clearTimeout(timer);
      this.#inFlight = undefined;
    }
  }

  #backoff(failures: number): number {
    const ceiling = Math.min(maxBackoffMs, firstBackoffMs * 2 ** failures);
    return ceiling * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
  }

  #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    this.#wake = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      this.#wake = undefined;
    });
  }

  #drop(bytes: number, reason: DropReason, detail: string): void {
    this.#options.onDrop(this.#options.signal, reason, bytes, detail);
  }
}

type Outcome =
  | { readonly kind: "sent" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "retry"; readonly afterMs?: number };

/** `Retry-After` in seconds (RFC 9110 §10.2.3); 0 would be a hot loop, so it counts as absent. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null || !/^\d{1,4}$/.test(value)) return undefined;
  const ms = Number(value) * 1_000;
  return ms === 0 ? undefined : Math.min(ms, maxRetryAfterMs);
}

function printable(body: ArrayBuffer): string {
  return new TextDecoder()
    .decode(body.slice(0, 200))
    .replaceAll(/[^\x20-\x7e]+/g, " ")
    .trim();
}
