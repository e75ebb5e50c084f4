import type { AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";

export interface LiveStream {
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  /** When the token that asks expires, in milliseconds since the epoch. */
  readonly untilMs: number;
  readonly now: () => number;
}

/** Below the 240 s a gateway gives any one exchange, so that it is us who end it. The browser comes back by itself. */
const longestMs = 200_000;
/** Browsers and proxies close what is silent. */
const heartbeatMs = 10_000;
const comeBackMs = 1_000;

/** Server-sent events (HTML Living Standard, §9.2) for as long as somebody listens, their token is good and we run. */
export function streamLive<E extends AppEnv>(
  c: Context<E>,
  { stopping, untilMs, now }: LiveStream,
  run: (sse: SSEStreamingApi, over: AbortSignal) => Promise<void>,
): Response {
  c.header("cache-control", "no-store");
  // Buffering proxies would make it anything but live.
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (sse) => {
    const over = new AbortController();
    const end = () => over.abort();
    sse.onAbort(end);
    stopping.addEventListener("abort", end, { once: true });
    const timer = setTimeout(end, Math.min(longestMs, Math.max(untilMs - now(), 0)));
    const heartbeat = setInterval(() => void sse.write(": \n\n"), heartbeatMs);
    try {
      await sse.write(`retry: ${comeBackMs}\n\n`);
      await run(sse, over.signal);
    } finally {
      clearTimeout(timer);
      clearInterval(heartbeat);
      stopping.removeEventListener("abort", end);
    }
  });
}
