/** What a bench is made of; the harness runs any of them. */
import type { Measurement } from "./measurement.ts";

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A body that is not text; instead of `body`. */
  readonly bodyBase64?: string;
  /** The only status that is no failure; any 2xx when absent. What is refused leaves nothing at the sink. */
  readonly expect?: number;
}

/**
 * What sinks tell apart. Only what a request causes: start-up lines and connect spans are not in these. The last three
 * are of benches whose requests are telemetry themselves.
 */
export type ArrivalKind =
  "serverSpans" | "sqlSpans" | "accessLogs" | "requestDurations" | "posts" | "postedBytes" | "records";
export type Arrivals = Readonly<Partial<Record<ArrivalKind, number>>>;

export interface Route {
  readonly name: string;
  /** Sent in turn by every connection; more than one, so that no answer can be cached on the way. */
  readonly requests: readonly LoadRequest[];
  /** What one accepted request must leave at the sink in a variant that exports. */
  readonly leaves: Arrivals;
  /** Variants for which it means nothing. */
  readonly without?: readonly string[];
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
  /** Answers 200 once the variant serves; without it, taking connections is enough. */
  readonly readyPath?: string;
  /** Of a variant the bench started itself: where it answers. `command` is then not run. */
  readonly target?: URL;
  /** Processes that work for this variant beside the one the harness starts, or all of them when it has a `target`. */
  readonly beside?: readonly number[];
  /** Asked instead of the sink for what has arrived. */
  readonly counts?: () => Promise<Arrivals>;
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
  readonly settings: BenchSettings;
  /** Process of the sink. */
  readonly sinkPid: number;
  /** Where a variant of this name exports its OTLP to. */
  readonly otlpEndpoint: (variant: string) => string;
  /** Registers what must end with the bench; ends run in reverse order. */
  readonly own: (close: () => unknown) => void;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  /** Script of the sink; the OTLP one of `sink/` when absent. */
  readonly sink?: string;
  /** Put before the commands of sink and load generator, as to keep them off the core of what is measured. */
  readonly aside?: readonly string[];
  /** What the bench is to reach, beside what it reached. */
  readonly targets?: (measurements: readonly Measurement[]) => readonly string[];
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
  /** Further scenarios of a bench that has some; `all` for every one. */
  readonly scenarios: readonly string[];
}
