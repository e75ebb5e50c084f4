/** Whose requests are counted together: an OAuth client or the name of a key, a subject, or an address. */
export type Holder = "client" | "subject" | "address";

/**
 * What one holder may use of a group of rows, of all gateway processes together. 0 means without limit.
 * Bytes are those of request bodies after decompression: that is what an upstream has to carry.
 */
export interface RateClass {
  readonly per: Holder;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Seconds of the above that a holder who was quiet may use at once. */
  readonly burstSeconds: number;
  /** Requests at once; as many again wait a moment for their turn. */
  readonly inFlight: number;
}

const MiB = 1_048_576;

/** Limits of every row, by the class it names. The first three numbers can be set by configuration. */
export const rateClasses = {
  ingest: {
    per: "client",
    requestsPerSecond: 5_000,
    bytesPerSecond: 128 * MiB,
    burstSeconds: 2,
    inFlight: 64,
  },
  query: { per: "subject", requestsPerSecond: 100, bytesPerSecond: 4 * MiB, burstSeconds: 5, inFlight: 32 },
  api: { per: "subject", requestsPerSecond: 500, bytesPerSecond: 16 * MiB, burstSeconds: 2, inFlight: 64 },
  open: { per: "address", requestsPerSecond: 200, bytesPerSecond: 4 * MiB, burstSeconds: 5, inFlight: 64 },
} as const satisfies Readonly<Record<string, RateClass>>;

export type RateClassName = keyof typeof rateClasses;

export type RateClasses = Readonly<Record<RateClassName, RateClass>>;
