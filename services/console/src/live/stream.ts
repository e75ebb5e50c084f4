import type { AppEnv } from "@vitrine/kit/http";
import { pause } from "@vitrine/kit/pause";
import type { Context } from "hono";
import type { Fragment, Painter } from "./fragments.ts";
import { type LiveStream, streamLive } from "./sse.ts";

export interface FragmentStream extends LiveStream {
  readonly everyMs: number;
  /** True once nothing can change any more. */
  readonly settled: () => boolean;
  readonly paint: Painter;
  readonly fragments: (signal: AbortSignal) => Promise<readonly Fragment[]>;
}

/**
 * Sends each fragment as soon as it is painted, and again whenever it has changed.
 * Events: `fragment` {id, hash, html}, `settled` when nothing will change any more.
 */
export function streamFragments<E extends AppEnv>(c: Context<E>, stream: FragmentStream): Response {
  return streamLive(c, stream, async (sse, over) => {
    const sent = new Map<string, string>();
    const send = async (fragment: Fragment): Promise<void> => {
      const painted = await stream.paint(fragment);
      if (over.aborted || sent.get(fragment.id) === painted.hash) return;
      sent.set(fragment.id, painted.hash);
      await sse.writeSSE({ event: "fragment", data: JSON.stringify({ id: fragment.id, ...painted }) });
    };
    // Each at its own pace: one slow source keeps no other waiting.
    const follow = async (fragment: Fragment): Promise<void> => {
      while (!over.aborted) {
        const last = stream.settled();
        await send(fragment);
        if (last) return;
        await pause(stream.everyMs, over);
      }
    };
    await Promise.all((await stream.fragments(over)).map(follow));
    if (!over.aborted) await sse.writeSSE({ event: "settled", data: "" });
  });
}
