import { ServiceError } from "@vitrine/kit/errors";
import type { RateClasses, RateClassName } from "../routes/rate-class.ts";
import { createBuckets } from "./buckets.ts";
import { createGate, type Gate, type Leave } from "./gate.ts";

export interface LimitsOptions {
  readonly classes: RateClasses;
  /** Requests that upstreams are asked at once, of all holders together. */
  readonly maxConcurrent: number;
  /** Milliseconds a request waits for a place; one that is to be unpacked waits twice as long. Default 1,000. */
  readonly waitMs?: number;
  readonly now?: () => number;
}

/** What one request holds of what is limited, until it leaves. */
export interface Passage {
  /** Waits for a place among the requests that upstreams are asked at once. @throws ServiceError 503 */
  toUpstream(): Promise<void> | undefined;
  /** Waits for a place among the bodies that are unpacked piece by piece. @throws ServiceError 429, 503 */
  toUnpack(): Promise<void>;
  /** Tells how many bytes the body really had, unpacked. */
  carried(bytes: number): void;
  /** Gives everything back; more calls do nothing. */
  leave(): void;
}

export interface Limits {
  /**
   * Lets a holder's request in, or says why not. `declaredBytes` is what it says its body has.
   * @throws ServiceError `rate_limited` with the reason `quota_requests`, `quota_bytes` or `quota_in_flight`
   */
  enter(rate: RateClassName, holder: string, declaredBytes: number): Passage | Promise<Passage>;
  load(): { readonly inside: number; readonly upstream: number; readonly waiting: number };
}

const maxHolders = 10_000;
const maxWaiting = 512;

/** A body that is unpacked piece by piece costs about two megabytes; its share is kept apart for that. */
const maxUnpacking = 64;
const maxUnpackingPerHolder = 16;

/** Whoever waits longer than this loses data in exporters with their default settings. */
const maxRetrySeconds = 3;

/** Quotas and places of all holders. Its state is bounded by {@link maxHolders} and by the requests that are in. */
export function createLimits({ classes, maxConcurrent, waitMs = 1_000, now }: LimitsOptions): Limits {
  const requests = createBuckets(maxHolders, now);
  const bytes = createBuckets(maxHolders, now);
  const holders = createGate({ waitMs, maxWaiting, waitingPerPlace: 1 });
  const upstream = createGate({ waitMs, maxWaiting, waitingPerPlace: 1 });
  const unpacking = createGate({ waitMs: 2 * waitMs, maxWaiting, waitingPerPlace: 8 });

  function checkQuotas(rate: RateClassName, key: string, declaredBytes: number): void {
    const { requestsPerSecond, bytesPerSecond, burstSeconds } = classes[rate];
    const wait = requests.take(key, 1, { perSecond: requestsPerSecond, burstSeconds });
    if (wait > 0) throw tooMany("quota_requests", "too many requests", wait);
    const waitBytes = bytes.take(key, declaredBytes, { perSecond: bytesPerSecond, burstSeconds });
    if (waitBytes > 0) throw tooMany("quota_bytes", "too many bytes", waitBytes);
  }

  class HeldPassage implements Passage {
    readonly #key: string;
    readonly #rate: RateClassName;
    readonly #declaredBytes: number;
    readonly #held: Leave[];
    #left = false;

    constructor(key: string, rate: RateClassName, declaredBytes: number, entered: Leave) {
      this.#key = key;
      this.#rate = rate;
      this.#declaredBytes = declaredBytes;
      this.#held = [entered];
    }

    /** A place may come when the request is gone already: then it goes straight back. */
    #hold(leave: Leave): void {
      if (this.#left) leave();
      else this.#held.push(leave);
    }

    toUpstream(): Promise<void> | undefined {
      const place = upstream.enter("all", maxConcurrent);
      if (typeof place !== "function") return placeOf(place).then((leave) => this.#hold(leave));
      this.#hold(place);
      return undefined;
    }

    async toUnpack(): Promise<void> {
      const own = await unpacking.enter(this.#key, maxUnpackingPerHolder);
      if (own === undefined) throw tooMany("quota_in_flight", "too many large bodies at once", 1);
      this.#hold(own);
      this.#hold(await placeOf(unpacking.enter("all", maxUnpacking)));
    }

    carried(decodedBytes: number): void {
      const { bytesPerSecond, burstSeconds } = classes[this.#rate];
      bytes.charge(this.#key, decodedBytes - this.#declaredBytes, { perSecond: bytesPerSecond, burstSeconds });
    }

    leave(): void {
      if (this.#left) return;
      this.#left = true;
      for (const leave of this.#held) leave();
    }
  }

  return {
    enter: (rate, holder, declaredBytes) => {
      const key = `${rate} ${holder}`;
      checkQuotas(rate, key, declaredBytes);
      const places = classes[rate].inFlight;
      const place = places === 0 ? noPlace : holders.enter(key, places);
      if (typeof place === "function") return new HeldPassage(key, rate, declaredBytes, place);
      return enteredBy(place).then((entered) => new HeldPassage(key, rate, declaredBytes, entered));
    },
    load: () => ({
      inside: holders.load().inside,
      upstream: upstream.load().inside,
      waiting: holders.load().waiting + upstream.load().waiting + unpacking.load().waiting,
    }),
  };
}

async function enteredBy(place: Promise<Leave | undefined> | undefined): Promise<Leave> {
  const entered = await place;
  if (entered === undefined) throw tooMany("quota_in_flight", "too many requests at once", 1);
  return entered;
}

async function placeOf(entered: ReturnType<Gate["enter"]>): Promise<Leave> {
  const leave = await entered;
  if (leave !== undefined) return leave;
  throw new ServiceError("unavailable", undefined, { reason: "overloaded", retryAfterSeconds: 1 });
}

/** 429 (RFC 6585 §4) with a `Retry-After` of one to three seconds. */
export function tooMany(reason: string, detail: string, waitSeconds: number): ServiceError {
  return new ServiceError("rate_limited", detail, {
    reason,
    retryAfterSeconds: Math.min(Math.max(Math.ceil(waitSeconds), 1), maxRetrySeconds),
  });
}

const noPlace: Leave = () => undefined;

/** For rows without limits: answers of the gateway itself. */
export const freePassage: Passage = {
  toUpstream: () => undefined,
  toUnpack: () => Promise.resolve(),
  carried: () => undefined,
  leave: () => undefined,
};
