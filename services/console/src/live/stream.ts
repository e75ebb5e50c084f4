import type { AppEnv } from "@vitrine/kit/http";
import { pause } from "@vitrine/kit/pause";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Fragment, Painter } from "./fragments.ts";

export interface FragmentStream {
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  /** When the token that asks expires, in milliseconds since the epoch. */
  readonly untilMs: number;
  readonly now: () => number;
  readonly everyMs: number;
  /** True once nothing can change any more. */
  readonly settled: () => boolean;
  readonly paint: Painter;
  readonly fragments: (signal: AbortSignal) => Promise<readonly Fragment[]>;
}

/** Below the 240 s a gateway gives any one exchange, so that it is us who end it. The browser comes back by itself. */
const longestMs = 200_000;
/** Browsers and proxies close what is silent. */
const heartbeatMs = 10_000;
const comeBackMs = 1_000;

/**
 * Sends each fragment as soon as it is painted, and again whenever it has changed (HTML Living Standard, §9.2).
 * Events: `fragment` {id, hash, html}, `settled` when nothing will change any more.
 */
export function streamFragments<E extends AppEnv>(c: Context<E>, stream: FragmentStream): Response {
  c.header("cache-control", "no-store");
  // Buffering proxies would make it anything but live.
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (sse) => {
    const over = new AbortController();
    const end = () => over.abort();
    sse.onAbort(end);
    stream.stopping.addEventListener("abort", end, { once: true });
    const timer = setTimeout(end, Math.min(longestMs, Math.max(stream.untilMs - stream.now(), 0)));
    const heartbeat = setInterval(() => void sse.write(": \n\n"), heartbeatMs);
    try {
      await sse.write(`retry: ${comeBackMs}\n\n`);
      const fragments = await stream.fragments(over.signal);
      const sent = new Map<string, string>();
      const send = async (fragment: Fragment): Promise<void> => {
        const painted = await stream.paint(fragment);
        if (over.signal.aborted || sent.get(fragment.id) === painted.hash) return;
        sent.set(fragment.id, painted.hash);
        await sse.writeSSE({ event: "fragment", data: JSON.stringify({ id: fragment.id, ...painted }) });
      };
      // Each at its own pace: one slow source keeps no other waiting.
      const follow = async (fragment: Fragment): Promise<void> => {
        while (!over.signal.aborted) {
          const last = stream.settled();
          await send(fragment);
          if (last) return;
          await pause(stream.everyMs, over.signal);
        }
      };
      await Promise.all(fragments.map(follow));
      if (!over.signal.aborted) await sse.writeSSE({ event: "settled", data: "" });
    } finally {
      clearTimeout(timer);
      clearInterval(heartbeat);
      stream.stopping.removeEventListener("abort", end);
    }
  });
}
