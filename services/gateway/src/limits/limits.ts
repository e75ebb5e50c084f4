import { ServiceError } from "@vitrine/kit/errors";
import type { RateClass, RateClasses, RateClassName } from "../routes/rate-class.ts";
import { createBuckets, type Rate } from "./buckets.ts";
import { createGate, type Gate, type Place } from "./gate.ts";

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

/** Of each class, as are those who wait for their holder's places: strangers use up nothing of who has a token. */
const maxHolders = 10_000;
const maxWaiting = 512;

/** A body that is unpacked piece by piece costs about two megabytes; its share is kept apart for that. */
const maxUnpacking = 64;
const maxUnpackingPerHolder = 16;

/** Whoever waits longer than this loses data in exporters with their default settings. */
const maxRetrySeconds = 3;

/** Quotas and places of all holders. Its state is bounded by {@link maxHolders} and by the requests that are in or wait. */
export function createLimits({ classes, maxConcurrent, waitMs = 1_000, now }: LimitsOptions): Limits {
  const upstream = createGate({ waitMs, maxWaiting, waitingPerPlace: 1 });
  const unpacking = createGate({ waitMs: 2 * waitMs, maxWaiting, waitingPerPlace: 8 });

  /** What the holders of one class use. */
  class ClassLimits {
    readonly name: RateClassName;
    readonly inFlight: number;
    readonly places = createGate({ waitMs, maxWaiting, waitingPerPlace: 1 });
    readonly #requests = createBuckets(maxHolders, now);
    readonly #bytes = createBuckets(maxHolders, now);
    readonly #requestRate: Rate;
    readonly #byteRate: Rate;

    constructor(name: RateClassName, { requestsPerSecond, bytesPerSecond, burstSeconds, inFlight }: RateClass) {
      this.name = name;
      this.inFlight = inFlight;
      this.#requestRate = { perSecond: requestsPerSecond, burstSeconds };
      this.#byteRate = { perSecond: bytesPerSecond, burstSeconds };
    }

    checkQuotas(holder: string, declaredBytes: number): void {
      const wait = this.#requests.take(holder, 1, this.#requestRate);
      if (wait > 0) throw tooMany("quota_requests", "too many requests", wait);
      const waitBytes = this.#bytes.take(holder, declaredBytes, this.#byteRate);
      if (waitBytes > 0) throw tooMany("quota_bytes", "too many bytes", waitBytes);
    }

    charge(holder: string, bytes: number): void {
      this.#bytes.charge(holder, bytes, this.#byteRate);
    }
  }

  const limits = new Map(
    Object.entries(classes).map(([name, limit]) => [name, new ClassLimits(name as RateClassName, limit)]),
  );

  class HeldPassage implements Passage {
    readonly #limits: ClassLimits;
    readonly #holder: string;
    readonly #declaredBytes: number;
    readonly #places: Place[];
    #left = false;

    constructor(of: ClassLimits, holder: string, declaredBytes: number, entered: Place) {
      this.#limits = of;
      this.#holder = holder;
      this.#declaredBytes = declaredBytes;
      this.#places = [entered];
    }

    /** A place may come when the request is gone already: then it goes straight back. */
    #hold(place: Place): void {
      if (this.#left) place.leave();
      else this.#places.push(place);
    }

    toUpstream(): Promise<void> | undefined {
      const place = upstream.enter("all", maxConcurrent);
      if (place === undefined || place instanceof Promise) return this.#wait(place);
      this.#hold(place);
      return undefined;
    }

    async #wait(place: ReturnType<Gate["enter"]>): Promise<void> {
      this.#hold(await placeOf(place));
    }

    async toUnpack(): Promise<void> {
      const own = await unpacking.enter(`${this.#limits.name} ${this.#holder}`, maxUnpackingPerHolder);
      if (own === undefined) throw tooMany("quota_in_flight", "too many large bodies at once", 1);
      this.#hold(own);
      this.#hold(await placeOf(unpacking.enter("all", maxUnpacking)));
    }

    carried(decodedBytes: number): void {
      this.#limits.charge(this.#holder, decodedBytes - this.#declaredBytes);
    }

    leave(): void {
      if (this.#left) return;
      this.#left = true;
      for (const place of this.#places) place.leave();
    }
  }

  async function waitToEnter(
    of: ClassLimits,
    holder: string,
    declaredBytes: number,
    place: Promise<Place | undefined> | undefined,
  ): Promise<Passage> {
    const entered = await place;
    if (entered === undefined) throw tooMany("quota_in_flight", "too many requests at once", 1);
    return new HeldPassage(of, holder, declaredBytes, entered);
  }

  return {
    enter: (rate, holder, declaredBytes) => {
      const of = limits.get(rate);
      if (of === undefined) throw new TypeError(`no limits for ${rate}`);
      of.checkQuotas(holder, declaredBytes);
      const place = of.inFlight === 0 ? noPlace : of.places.enter(holder, of.inFlight);
      if (place !== undefined && !(place instanceof Promise)) return new HeldPassage(of, holder, declaredBytes, place);
      return waitToEnter(of, holder, declaredBytes, place);
    },
    load: () => {
      const gates = [...limits.values()].map(({ places }) => places.load());
      return {
        inside: gates.reduce((sum, { inside }) => sum + inside, 0),
        upstream: upstream.load().inside,
        waiting: [...gates, upstream.load(), unpacking.load()].reduce((sum, { waiting }) => sum + waiting, 0),
      };
    },
  };
}

async function placeOf(entered: ReturnType<Gate["enter"]>): Promise<Place> {
  const place = await entered;
  if (place !== undefined) return place;
  throw new ServiceError("unavailable", undefined, { reason: "overloaded", retryAfterSeconds: 1 });
}

/** 429 (RFC 6585 §4) with a `Retry-After` of one to three seconds. */
export function tooMany(reason: string, detail: string, waitSeconds: number): ServiceError {
  return new ServiceError("rate_limited", detail, {
    reason,
    retryAfterSeconds: Math.min(Math.max(Math.ceil(waitSeconds), 1), maxRetrySeconds),
  });
}

const noPlace: Place = { leave: () => undefined };

/** For rows without limits: answers of the gateway itself. */
export const freePassage: Passage = {
  toUpstream: () => undefined,
  toUnpack: () => Promise.resolve(),
  carried: () => undefined,
  leave: () => undefined,
};
