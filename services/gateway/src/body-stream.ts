import { ServiceError } from "@vitrine/kit/errors";
import type { Deadline, Deadlines } from "./deadlines.ts";

type Chunk = Uint8Array<ArrayBuffer>;

export interface Watch {
  /** Sees every chunk before it is passed on; what it throws ends both streams. */
  readonly inspect?: (chunk: Chunk) => void;
  /** Hears what broke the source or `inspect`. */
  readonly failed?: (cause: unknown) => void;
  /** Hears once that no more will come: the end, a fault, or a reader that left. */
  readonly ended?: () => void;
  /** Milliseconds in which the source must end; past them the stream fails with what `late` returns. */
  readonly withinMs?: number;
  readonly late?: () => Error;
}

/** Passes a stream on chunk by chunk, as fast as it is read, under the eyes of `watch`. */
export function watch(source: ReadableStream<Chunk>, options: Watch): ReadableStream<Chunk> {
  const reader = source.getReader();
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function end(): void {
    over = true;
    clearTimeout(timer);
    options.ended?.();
  }

  return new ReadableStream<Chunk>(
    {
      start(controller) {
        const { withinMs, late } = options;
        if (withinMs === undefined || late === undefined) return;
        timer = setTimeout(() => {
          if (over) return;
          const cause = late();
          end();
          controller.error(cause);
          reader.cancel(cause).catch(() => undefined);
        }, withinMs);
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (over) return;
          if (done) {
            end();
            controller.close();
            return;
          }
          options.inspect?.(value);
          controller.enqueue(value);
        } catch (cause) {
          if (over) return;
          options.failed?.(cause);
          end();
          controller.error(cause);
          await reader.cancel(cause).catch(() => undefined);
        }
      },
      async cancel(reason) {
        if (!over) end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** All of a stream that ends within `cap` bytes, and of any other a stream that begins with what was read so far. */
export async function readAhead(source: ReadableStream<Chunk>, cap: number): Promise<Chunk | ReadableStream<Chunk>> {
  const reader = source.getReader();
  const held: Chunk[] = [];
  for (let bytes = 0; bytes <= cap;) {
    const { done, value } = await reader.read();
    if (done) return join(held, bytes);
    held.push(value);
    bytes += value.byteLength;
  }
  return new ReadableStream<Chunk>(
    {
      async pull(controller) {
        const { done, value } = held.length > 0 ? { done: false, value: held.shift() } : await reader.read();
        if (done || value === undefined) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function join(chunks: readonly Chunk[], bytes: number): Chunk {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}

/** Rejects with a ServiceError `request_timeout` once `ms` have passed, unless the deadline is called off. */
export function arriveWithin<T>(ms: number, arriving: Promise<T>, deadlines: Deadlines): [Promise<T>, Deadline] {
  // By hand: `Promise.race` costs several times as much, on every request.
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  arriving.then(resolve, reject);
  return [promise, deadlines.within(ms, () => reject(tooSlow(ms)))];
}

/** 408, and the connection ends with it (RFC 9110 §15.5.9): what still drips in is nobody's. */
export function tooSlow(ms: number): ServiceError {
  return new ServiceError("request_timeout", `the body did not arrive within ${ms / 1_000} s`, {
    reason: "slow_body",
    headers: { connection: "close" },
  });
}
