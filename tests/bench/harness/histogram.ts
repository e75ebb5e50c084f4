/** Buckets per power of two: a recorded value is known to within 1/64 of itself. */
const subBuckets = 64;
const subBits = 6;
/** 2^26 µs is 67 s; slower answers count in the last bucket. */
const maxExponent = 26;

/** Counts latencies in microseconds in log-linear buckets: constant memory, no allocation per value. */
export class LatencyHistogram {
  readonly #counts = new Float64Array((maxExponent - subBits + 2) * subBuckets);
  #total = 0;
  #maxMicros = 0;

  get total(): number {
    return this.#total;
  }

  get maxMicros(): number {
    return this.#maxMicros;
  }

  record(micros: number): void {
    const index = Math.min(indexOf(Math.max(0, Math.floor(micros))), this.#counts.length - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (micros > this.#maxMicros) this.#maxMicros = micros;
  }

  /** The smallest latency that at least `share` (0 to 1) of the values do not exceed; 0 when there are none. */
  quantileMicros(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(upperBound(index), this.#maxMicros);
    }
    return this.#maxMicros;
  }
}

function indexOf(micros: number): number {
  if (micros < subBuckets) return micros;
  const exponent = Math.floor(Math.log2(micros));
  const shift = exponent - subBits;
  return (shift + 1) * subBuckets + Math.floor(micros / 2 ** shift) - subBuckets;
}

function upperBound(index: number): number {
  if (index < subBuckets) return index;
  const shift = Math.floor(index / subBuckets) - 1;
  return ((index % subBuckets) + subBuckets + 1) * 2 ** shift - 1;
}
