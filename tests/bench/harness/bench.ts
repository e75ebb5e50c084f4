/** What a bench is made of; the harness runs any of them. */

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What the sink tells apart. Only what a request causes: start-up lines and connect spans are not in these. */
export const arrivalKinds = ["serverSpans", "sqlSpans", "accessLogs", "requestDurations"] as const;
export type ArrivalKind = (typeof arrivalKinds)[number];
export type Arrivals = Readonly<Record<ArrivalKind, number>>;

export interface Route {
  readonly name: string;
  /** Sent in turn by every connection; more than one, so that no answer can be cached on the way. */
  readonly requests: readonly LoadRequest[];
  /** What one request must leave at the sink in a variant that exports. */
  readonly leaves: Arrivals;
}

export interface Variant {
  readonly name: string;
  /** The variant it is divided by, of the same round; its own name when it is a baseline. */
  readonly baseline: string;
  readonly command: readonly string[];
  readonly cwd: string;
  /** Added to `PORT`, which the harness chooses. */
  readonly env: Readonly<Record<string, string>>;
  /** Exports to the sink: what a request leaves is then counted, and anything missing fails the bench. */
  readonly exports: boolean;
  /** Failing to start is then a reason to leave it out, not a fault: its runtime is not part of the repository. */
  readonly mayBeMissing?: boolean;
}

export interface Skipped {
  readonly variant: string;
  readonly reason: string;
}

export interface Prepared {
  readonly routes: readonly Route[];
  readonly variants: readonly Variant[];
  readonly skipped: readonly Skipped[];
}

/** What of this process and machine a bench may use to start others. */
export interface Runtime {
  /** The Bun that runs the bench. */
  readonly bun: string;
  readonly path: string;
}

export interface BenchScope {
  readonly runtime: Runtime;
  /** Where a variant of this name exports its OTLP to. */
  readonly otlpEndpoint: (variant: string) => string;
  /** Registers what must end with the bench; ends run in reverse order. */
  readonly own: (close: () => unknown) => void;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  prepare(scope: BenchScope): Promise<Prepared>;
}

export interface BenchSettings {
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
  /** Silence at the sink after which what is missing counts as lost: longer than any batch delay in use. */
  readonly quietMs: number;
  /** Names of variants to run; all when empty. Baselines of those named always run. */
  readonly only: readonly string[];
}
