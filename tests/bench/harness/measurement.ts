/** One variant on one route in one round. */
export interface Measurement {
  readonly route: string;
  readonly variant: string;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server process; `undefined` where the operating system does not say. */
  readonly usage:
    | {
        /** Per request, with what it takes after the last answer to deliver its telemetry. */
        readonly cpuMicros: number;
        readonly residentBytes: number;
      }
    | undefined;
}
