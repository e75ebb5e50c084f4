import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { type DropReason, OtlpSender, type OtlpSenderOptions } from "./otlp-sender.ts";

interface Call {
  readonly bytes: Uint8Array;
  readonly headers: Headers;
  answer(response: Response): void;
  fail(error: Error): void;
}

const ok = () => new Response(new Uint8Array());
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const batch = (content: string) => new TextEncoder().encode(content);

/** Lets everything that only waits for promises go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

/** An endpoint under the test's control: every request waits until the test answers it. */
function open(options: Partial<OtlpSenderOptions> = {}) {
  const calls: Call[] = [];
  const drops: { reason: DropReason; bytes: number; detail: string }[] = [];
  let accepted = 0;
  let pushed = 0;
  const sender = new OtlpSender({
    signal: "logs",
    url: "http://collector.test/v1/logs",
    headers: async () => ({}),
    compression: "none",
    timeoutMs: 10_000,
    maxBufferBytes: 1_000,
    onDrop: (_, reason, bytes, detail) => drops.push({ reason, bytes, detail }),
    random: () => 1,
    fetch: (_, init) => {
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      const bytes = init.body as Uint8Array;
      calls.push({
        bytes,
        headers: new Headers(init.headers),
        answer: (response) => {
          if (response.ok) accepted += bytes.byteLength;
          resolve(response);
        },
        fail: reject,
      });
      return promise;
    },
    ...options,
  });
  const dropped = () => drops.reduce((sum, drop) => sum + drop.bytes, 0);
  return {
    sender,
    calls,
    drops,
    push: (content: string) => {
      pushed += content.length;
      sender.push(batch(content));
    },
    answer: async (response: Response) => {
      calls.at(-1)?.answer(response);
      await settle();
    },
    /** Zero while no byte was lost in silence or counted twice. */
    unaccounted: () => pushed - accepted - dropped() - sender.pendingBytes,
  };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await settle();
}

describe("what is taken", () => {
  test("batches leave in the order they came, one at a time", async () => {
    const { calls, push, answer, unaccounted, sender } = open();
    for (const content of ["a", "b", "c"]) push(content);
    await settle();
    expect(calls).toHaveLength(1);
    await answer(ok());
    await answer(ok());
    await answer(ok());
    expect(calls.map(({ bytes }) => text(bytes))).toEqual(["a", "b", "c"]);
    expect(sender.pendingBytes).toBe(0);
    expect(unaccounted()).toBe(0);
  });

  test("a batch pushed in the moment the last one was accepted is sent, not left behind", async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const { calls, push } = open();
      push("first");
      await settle();
      calls[0]?.answer(ok());
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      push("second");
      await settle();
      expect(calls.map(({ bytes }) => text(bytes))).toContain("first");
      calls[0]?.answer(ok());
      await settle();
      expect(calls).toHaveLength(2);
    }
  });

  test("the caller may reuse its buffer", async () => {
    const { calls, sender } = open();
    const bytes = batch("kept");
    sender.push(bytes);
    bytes.fill(0);
    await settle();
    expect(text(calls[0]?.bytes ?? bytes)).toBe("kept");
  });

  test("gzip is applied and named when asked for", async () => {
    const { calls, push } = open({ compression: "gzip" });
    push("x".repeat(200));
    await settle();
    expect(calls[0]?.headers.get("content-encoding")).toBe("gzip");
    expect(calls[0]?.headers.get("content-type")).toBe("application/x-protobuf");
    expect(text(gunzipSync(calls[0]?.bytes ?? batch("")))).toBe("x".repeat(200));
  });
});

describe("what is tried again", () => {
  test.each([429, 502, 503, 504])("%d holds the batch and delivers it later", async (status) => {
    const { calls, push, answer, drops, unaccounted } = open();
    push("kept");
    await settle();
    await answer(new Response("busy", { status }));
    expect(calls).toHaveLength(1);
    expect(unaccounted()).toBe(0);
    await pass(250);
    await answer(ok());
    expect(calls.map(({ bytes }) => text(bytes))).toEqual(["kept", "kept"]);
    expect(drops).toEqual([]);
    expect(unaccounted()).toBe(0);
  });

  test("a broken connection, a token that cannot be had and a deadline hold the batch", async () => {
    let tokens = 0;
    const { calls, push, answer, drops } = open({
      headers: async () => {
        tokens += 1;
        if (tokens === 1) throw new Error("no token");
        return { authorization: `Bearer ${tokens}` };
      },
    });
    push("kept");
    await settle();
    expect(calls).toHaveLength(0);
    await pass(250);
    calls[0]?.fail(new TypeError("refused"));
    await settle();
    await pass(500);
    await pass(10_000);
    await pass(1_000);
    await answer(ok());
    expect(calls).toHaveLength(3);
    expect(drops).toEqual([]);
  });

  test("pauses double up to five seconds and start anew after a success", async () => {
    const { calls, push, answer } = open();
    push("a");
    await settle();
    for (const pause of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      const before = calls.length;
      await answer(new Response("", { status: 503 }));
      await pass(pause - 1);
      expect(calls).toHaveLength(before);
      await pass(1);
      expect(calls).toHaveLength(before + 1);
    }
    push("b");
    await answer(ok());
    const before = calls.length;
    await answer(new Response("", { status: 503 }));
    await pass(250);
    expect(calls).toHaveLength(before + 1);
  });

  test.each([
    ["3", 3_000],
    ["9999", 30_000],
    ["0", 250],
    ["Wed, 21 Oct 2026 07:28:00 GMT", 250],
    ["-5", 250],
  ])("Retry-After %p waits %d ms: in seconds, capped, never a hot loop", async (value, ms) => {
    const { calls, push, answer } = open();
    push("a");
    await settle();
    await answer(new Response("", { status: 503, headers: { "retry-after": value } }));
    await pass(ms - 1);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
  });

  test("401 asks for a fresh token and sends the batch again with it", async () => {
    let token = "old";
    const { calls, push, answer, drops } = open({
      headers: async () => ({ authorization: `Bearer ${token}` }),
      onUnauthorized: () => {
        token = "new";
      },
    });
    push("kept");
    await settle();
    await answer(new Response("", { status: 401 }));
    await pass(250);
    await answer(ok());
    expect(calls.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer old", "Bearer new"]);
    expect(drops).toEqual([]);
  });
});

describe("what is given up", () => {
  test.each([400, 403, 404, 413, 415, 500, 302])(
    "%d is final: the batch is counted and the next one leaves",
    async (status) => {
      const { calls, push, answer, drops, unaccounted } = open();
      push("bad");
      push("good");
      await settle();
      await answer(new Response("no\u0000\u001b[31m thanks", { status }));
      await answer(ok());
      expect(calls.map(({ bytes }) => text(bytes))).toEqual(["bad", "good"]);
      expect(drops).toHaveLength(1);
      expect(drops[0]).toMatchObject({ reason: "refused", bytes: 3 });
      expect(drops[0]?.detail).toBe(`http://collector.test/v1/logs answered ${status}: no [31m thanks`);
      expect(unaccounted()).toBe(0);
    },
  );

  test("a full buffer gives the oldest up, byte for byte, and never the batch on its way", async () => {
    const { calls, push, answer, drops, unaccounted } = open({ maxBufferBytes: 10 });
    push("0000");
    await settle();
    for (const content of ["1111", "2222", "3333", "4444"]) push(content);
    expect(drops.map(({ reason, bytes }) => [reason, bytes])).toEqual([
      ["buffer_full", 4],
      ["buffer_full", 4],
      ["buffer_full", 4],
    ]);
    expect(unaccounted()).toBe(0);
    await answer(ok());
    await answer(ok());
    expect(calls.map(({ bytes }) => text(bytes))).toEqual(["0000", "4444"]);
    expect(unaccounted()).toBe(0);
  });

  test("a head that waits to be tried again is the oldest, and goes first", async () => {
    const { calls, push, answer, drops, unaccounted } = open({ maxBufferBytes: 10 });
    push("0000");
    await settle();
    await answer(new Response("", { status: 503 }));
    for (const content of ["1111", "2222"]) push(content);
    expect(drops).toHaveLength(1);
    await pass(250);
    await answer(ok());
    await answer(ok());
    expect(calls.map(({ bytes }) => text(bytes))).toEqual(["0000", "1111", "2222"]);
    expect(unaccounted()).toBe(0);
  });

  test("a single batch larger than the buffer is still sent", async () => {
    const { calls, push, answer, drops } = open({ maxBufferBytes: 10 });
    push("x".repeat(50));
    await settle();
    await answer(ok());
    expect(calls).toHaveLength(1);
    expect(drops).toEqual([]);
  });

  test("a thousand pushes against an endpoint of every mood lose nothing in silence", async () => {
    const { calls, push, sender, unaccounted } = open({ maxBufferBytes: 500 });
    const moods = [200, 503, 400, 200, 429, 401, 200, 413, 0];
    for (let n = 0; n < 1_000; n += 1) {
      push("x".repeat(1 + ((n * 37) % 90)));
      if (n % 3 === 0) {
        const mood = moods[n % moods.length] ?? 200;
        await settle();
        if (mood === 0) calls.at(-1)?.fail(new TypeError("reset"));
        else calls.at(-1)?.answer(new Response("", { status: mood }));
        await pass(n % 2 === 0 ? 5_000 : 0);
      }
      expect(unaccounted()).toBe(0);
    }
    const ending = sender.shutdown(100);
    await pass(100);
    await ending;
    expect(sender.pendingBytes).toBe(0);
    expect(unaccounted()).toBe(0);
  });
});

describe("flush and shutdown", () => {
  test("flush wakes a waiting batch and says whether the buffer is empty", async () => {
    const { calls, push, answer, sender } = open();
    push("a");
    await settle();
    await answer(new Response("", { status: 503, headers: { "retry-after": "30" } }));
    const flushed = sender.flush(1_000);
    await settle();
    expect(calls).toHaveLength(2);
    await answer(ok());
    expect(await flushed).toBe(true);
    push("b");
    const late = sender.flush(1_000);
    await pass(1_000);
    expect(await late).toBe(false);
  });

  test("shutdown counts what is left once, the batch on its way included, and cancels its request", async () => {
    const { calls, push, drops, sender, unaccounted } = open();
    push("flying");
    push("waiting");
    await settle();
    const ending = sender.shutdown(1_000);
    await pass(1_000);
    await ending;
    await settle();
    expect(drops).toEqual([{ reason: "shutdown", bytes: 13, detail: "still waiting when the process ended" }]);
    expect(calls).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
    push("late");
    expect(drops.at(-1)).toMatchObject({ reason: "shutdown", bytes: 4 });
    await sender.shutdown(1_000);
    expect(drops).toHaveLength(2);
    expect(unaccounted()).toBe(0);
  });

  test("shutdown while waiting to try again tries once more, then ends the wait", async () => {
    const { calls, push, answer, drops, sender } = open();
    push("a");
    await settle();
    await answer(new Response("", { status: 503 }));
    const ending = sender.shutdown(1_000);
    await settle();
    expect(calls).toHaveLength(2);
    await answer(new Response("", { status: 503, headers: { "retry-after": "30" } }));
    await pass(1_000);
    await ending;
    await settle();
    expect(drops).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("shutdown delivers what the endpoint still takes, and counts nothing", async () => {
    const { push, answer, drops, sender } = open();
    push("a");
    push("b");
    await settle();
    const ending = sender.shutdown(1_000);
    await answer(ok());
    await answer(ok());
    await ending;
    expect(drops).toEqual([]);
  });
});
