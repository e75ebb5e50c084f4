/** One variant on one route in one round. */
export interface Measurement {
  readonly route: string;
  readonly variant: string;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server process and its children; `undefined` where the operating system does not say. */
  readonly usage:
    | {
        /** Per request, with what it takes after the last answer to deliver its telemetry. */
        readonly cpuMicros: number;
        readonly residentBytes: number;
        /** CPU per request by the name of the program, where more than one works for the variant. */
        readonly cpuMicrosBy?: Readonly<Record<string, number>>;
      }
    | undefined;
}
