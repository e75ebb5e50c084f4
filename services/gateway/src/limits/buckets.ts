export interface Rate {
  readonly perSecond: number;
  readonly burstSeconds: number;
}

export interface Buckets {
  /**
   * Takes `amount` from a key's bucket as long as one is left in it; what is missing becomes a debt, since the size
   * of a body may be known only after it was read. Returns 0, or the seconds until something is left again.
   */
  take(key: string, amount: number, rate: Rate): number;
  /** Takes what was used after all; a negative amount gives back. */
  charge(key: string, amount: number, rate: Rate): void;
  size(): number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Nothing makes anybody wait longer, so that a mistake of one moment does not shut a client out for minutes. */
const maxDebtSeconds = 10;

/** Who takes nothing yet still needs a bucket that is not empty. */
const least = 1e-9;

/** A bucket that never holds a whole one would let nobody in, however long they wait. */
function burstOf({ perSecond, burstSeconds }: Rate): number {
  return Math.max(perSecond * burstSeconds, 1);
}

/**
 * Token buckets by key, of which the least recently used go first when there are too many: state stays bounded whoever
 * asks. A key that comes back finds its bucket full.
 */
export function createBuckets(maxKeys: number, now: () => number = () => performance.now()): Buckets {
  const buckets = new Map<string, Bucket>();

  function refilled(key: string, rate: Rate): Bucket {
    const atMs = now();
    const burst = burstOf(rate);
    const known = buckets.get(key);
    if (known !== undefined) {
      known.left = Math.min(burst, known.left + ((atMs - known.atMs) / 1_000) * rate.perSecond);
      known.atMs = atMs;
      // Order in a Map is order of insertion; only a full map needs to know who was here last.
      if (buckets.size * 2 > maxKeys) {
        buckets.delete(key);
        buckets.set(key, known);
      }
      return known;
    }
    if (buckets.size >= maxKeys) buckets.delete(buckets.keys().next().value ?? "");
    const made = { left: burst, atMs };
    buckets.set(key, made);
    return made;
  }

  function spend(bucket: Bucket, amount: number, rate: Rate): void {
    bucket.left = Math.min(burstOf(rate), Math.max(bucket.left - amount, -maxDebtSeconds * rate.perSecond));
  }

  return {
    take: (key, amount, rate) => {
      if (rate.perSecond <= 0) return 0;
      const bucket = refilled(key, rate);
      const needed = Math.min(Math.max(amount, least), 1);
      if (bucket.left < needed) return (needed - bucket.left) / rate.perSecond;
      spend(bucket, amount, rate);
      return 0;
    },
    charge: (key, amount, rate) => {
      if (rate.perSecond > 0 && amount !== 0) spend(refilled(key, rate), amount, rate);
    },
    size: () => buckets.size,
  };
}
