import { feedAnswer, type FeedAnswer } from "@vitrine/contracts/feed";
import { pause } from "../pause.ts";
import type { Keyring } from "./keyring.ts";
import type { TokenSource } from "./source.ts";

export interface FollowFeedOptions {
  /** Address of the feed: `<AUTH_URL>/api/auth/feed`. */
  readonly url: string;
  /** Tokens with the scope `feed:read`. */
  readonly token: TokenSource;
  readonly keyring: Keyring;
  /** Told of every answer that holds something, after the keyring took it in. */
  readonly onChange?: (answer: FeedAnswer) => void;
  /** Told when the feed is lost, and not again until it was there in between. */
  readonly onLost?: (error: unknown) => void;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Seconds one request waits for news, 1 to 25. Default 10. */
  readonly waitSeconds?: number;
  /** Milliseconds between reports of which ingest keys were used. Default 30,000. */
  readonly usageEveryMs?: number;
}

export interface FeedFollower {
  /** Resolves once the keyring holds everything live. */
  ready(): Promise<void>;
  /** Milliseconds since the feed last answered; about `waitSeconds` at most while all is well. */
  ageMs(): number;
  /** Ends the following, after the use of keys was reported. */
  stop(): Promise<void>;
}

const firstRetryMs = 100;
const maxRetryMs = 2_000;
/** An answer takes this much longer than it waits, at most: past that the connection is dead. */
const answerMs = 3_000;
const usageTimeoutMs = 3_000;

/**
 * Follows auth's feed by long polling, so that a revocation is known here within a second, and reports the use of
 * ingest keys. After a break it goes on from the last answer; where that is too old the auth service sends everything
 * live anew. While the feed is away the keyring keeps what it knows: nothing revoked comes back.
 */
export function followFeed(options: FollowFeedOptions): FeedFollower {
  const { keyring, token, onChange, onLost, waitSeconds = 10, usageEveryMs = 30_000 } = options;
  const stopping = new AbortController();
  const { promise: loaded, resolve: onLoaded } = Promise.withResolvers<void>();
  const request = requester(options);

  async function ask(after: number | undefined): Promise<FeedAnswer> {
    const query = after === undefined ? "" : `?after=${after}&wait=${waitSeconds}`;
    const deadline = AbortSignal.timeout((after === undefined ? 0 : waitSeconds * 1_000) + answerMs);
    const response = await request(query, { signal: AbortSignal.any([stopping.signal, deadline]) });
    return feedAnswer.parse(await response.json());
  }

  async function follow(): Promise<void> {
    let after: number | undefined;
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        const answer = await ask(after);
        keyring.apply(answer);
        after = answer.seq;
        failures = 0;
        onLoaded();
        if (answer.snapshot || answer.revocations.length > 0 || answer.keys.length > 0) onChange?.(answer);
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        if (failures === 1) onLost?.(error);
        await pause(retryDelayMs(failures), stopping.signal);
      }
    }
  }

  async function reportUsage(): Promise<void> {
    const keys = keyring.takeUsage();
    if (keys.length === 0) return;
    try {
      await request("/used", {
        method: "POST",
        body: JSON.stringify({ keys }),
        signal: AbortSignal.timeout(usageTimeoutMs),
      });
    } catch {
      // When a key was last used may be told later; the feed's own failure is told by `onLost`.
      keyring.returnUsage(keys);
    }
  }

  const following = follow();
  const timer = setInterval(() => void reportUsage(), usageEveryMs);
  timer.unref();
  return {
    ready: () => loaded,
    ageMs: () => keyring.ageMs(),
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await following;
      await reportUsage();
    },
  };

  function requester({ url, fetch: send = fetch }: FollowFeedOptions) {
    return async (suffix: string, init: RequestInit): Promise<Response> => {
      const headers = {
        authorization: `Bearer ${await token.get()}`,
        accept: "application/json",
        "content-type": "application/json",
      };
      const response = await send(url + suffix, { ...init, headers, redirect: "manual" });
      if (response.ok) return response;
      // The token may have been revoked, or signed with a key that was taken back.
      if (response.status === 401) token.forget();
      await response.body?.cancel();
      throw new Error(`the feed answered ${response.status}`);
    };
  }
}

/** Doubles up to two seconds, less up to a half by chance, so that gateways do not come back in one wave. */
function retryDelayMs(failures: number): number {
  return Math.min(firstRetryMs * 2 ** (failures - 1), maxRetryMs) * (1 - Math.random() / 2);
}
