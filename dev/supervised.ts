import type { Child, Exit, Launch, Spawn } from "./process-group.ts";
import { messageOf, SetupError } from "./setup-error.ts";
import type { ProcessKind, ProcessState, RecordedProcess } from "./state.ts";

export interface ProcessSpec {
  readonly name: string;
  readonly kind: ProcessKind;
  /** Called before every start; makes what the process reads. @throws {SetupError} when trying again is no use */
  readonly launch: () => Promise<Launch>;
  /** Undefined once the process is ready, else what it waits for. @throws {SetupError} when it never will be */
  readonly ready: (child: Child) => Promise<string | undefined>;
  /** Asks the process to end in order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Called with each line it writes. */
  readonly onLine: (line: string) => void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves early, without error, when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export type ProcessReport =
  | { readonly kind: "state"; readonly state: ProcessState }
  | { readonly kind: "ready"; readonly tookMs: number }
  | { readonly kind: "slow"; readonly waitsFor: string }
  | { readonly kind: "crashed"; readonly exit: Exit; readonly crashes: number; readonly againInMs: number }
  | { readonly kind: "gave_up"; readonly detail: string }
  | { readonly kind: "killed"; readonly graceMs: number };

export interface SupervisedDeps {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly report: (spec: ProcessSpec, report: ProcessReport) => void;
  readonly limits?: Partial<Limits>;
}

export interface Limits {
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  /** So many crashes within the window are the last. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  readonly graceMs: number;
  readonly pollMs: number;
  /** When a process that is not ready yet is mentioned. */
  readonly slowMs: number;
}

const defaultLimits: Limits = {
  firstPauseMs: 500,
  maxPauseMs: 10_000,
  maxCrashes: 5,
  windowMs: 60_000,
  graceMs: 10_000,
  pollMs: 100,
  slowMs: 20_000,
};

/** Keeps one process running: waits until it is ready, starts it again when it crashes, ends it when told to. */
export class Supervised {
  readonly spec: ProcessSpec;
  readonly #deps: SupervisedDeps;
  readonly #limits: Limits;
  readonly #settled = Promise.withResolvers<ProcessState>();
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  #state: ProcessState = "waiting";
  #detail: string | undefined;
  #child: Child | undefined;
  #crashes: number[] = [];
  #restarts = 0;
  #lastExit: RecordedProcess["lastExit"];
  /** Of the start that a restart asked for. */
  #restarted = Promise.withResolvers<ProcessState>();
  /** Aborted to end a pause, or to tell that the end of the child is wanted. */
  #again = new AbortController();
  #running: Promise<void> | undefined;

  constructor(spec: ProcessSpec, deps: SupervisedDeps) {
    this.spec = spec;
    this.#deps = deps;
    this.#limits = { ...defaultLimits, ...deps.limits };
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Resolves when it is ready, has failed or was stopped, whichever comes first. */
  get settled(): Promise<ProcessState> {
    return this.#settled.promise;
  }

  /** Resolves when it is ready for the first time. */
  get firstReady(): Promise<void> {
    return this.#firstReady.promise;
  }

  get record(): RecordedProcess {
    return {
      name: this.spec.name,
      kind: this.spec.kind,
      pid: this.#child?.pid ?? null,
      startTicks: this.#child?.startTicks ?? null,
      state: this.#state,
      restarts: this.#restarts,
      ...(this.#lastExit === undefined ? {} : { lastExit: this.#lastExit }),
      ...(this.#detail === undefined ? {} : { detail: this.#detail }),
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the process in order and starts it anew, also one that has failed; resolves when it is ready or is not. */
  async restart(): Promise<void> {
    if (this.#running === undefined || this.#stop.signal.aborted) return;
    this.#crashes = [];
    this.#restarted = Promise.withResolvers();
    this.#again.abort();
    if (this.#child !== undefined) {
      this.#become("stopping");
      await this.#end(this.#child);
    }
    await this.#restarted.promise;
  }

  /** Ends the process for good: in order if it can, and by force after the grace. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#again.abort();
    if (this.#child !== undefined) {
      this.#become("stopping");
      await this.#end(this.#child);
    }
    await this.#running;
    this.#become("stopped");
  }

  /** Ends the process at once, without grace. */
  kill(): void {
    this.#stop.abort();
    this.#child?.killAll();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#again = new AbortController();
      const outcome = await this.#runOnce(this.#again);
      if (this.#stop.signal.aborted) return;
      if (outcome === "again") continue;
      if (outcome instanceof SetupError) this.#giveUp(outcome.message);
      else await this.#pauseAfter(outcome, this.#again.signal);
      if (this.#state === "failed") await aborted(this.#again.signal);
    }
  }

  /** One life of the process: how it ended, "again" when that was wanted, an error when no other would be better. */
  async #runOnce(again: AbortController): Promise<Exit | SetupError | "again"> {
    this.#become("starting");
    const over = new AbortController();
    let child: Child;
    try {
      const launch = await this.spec.launch();
      if (again.signal.aborted) return "again";
      child = await this.#deps.spawn(launch, this.spec.onLine);
    } catch (error) {
      return error instanceof SetupError ? error : new SetupError(`cannot be started: ${messageOf(error)}`);
    }
    this.#child = child;
    this.#become("starting");
    if (again.signal.aborted) void this.#end(child);
    const readiness = this.#awaitReady(child, over.signal);
    const first = await Promise.race([child.exited, readiness]);
    if (first instanceof SetupError) await this.#end(child);
    const exit = await child.exited;
    over.abort();
    // What it started must not outlive it and hold its ports.
    child.killAll();
    this.#child = undefined;
    if (first instanceof SetupError) return first;
    return again.signal.aborted ? "again" : exit;
  }

  async #awaitReady(child: Child, over: AbortSignal): Promise<SetupError | Exit> {
    const startedAt = this.#deps.clock.now();
    let slow = false;
    while (!over.aborted) {
      const waitsFor = await this.spec.ready(child).catch((error: unknown) => asSetupError(error));
      if (over.aborted || this.#again.signal.aborted) break;
      if (waitsFor instanceof SetupError) return waitsFor;
      const tookMs = this.#deps.clock.now() - startedAt;
      if (waitsFor === undefined) {
        this.#become("ready");
        this.#deps.report(this.spec, { kind: "ready", tookMs });
        break;
      }
      if (!slow && tookMs > this.#limits.slowMs) {
        slow = true;
        this.#deps.report(this.spec, { kind: "slow", waitsFor });
      }
      if (waitsFor !== this.#detail) this.#become("starting", waitsFor);
      await this.#deps.clock.sleep(this.#limits.pollMs, over);
    }
    return child.exited;
  }

  async #pauseAfter(exit: Exit, again: AbortSignal): Promise<void> {
    const now = this.#deps.clock.now();
    this.#lastExit = { at: new Date(now).toISOString(), ...exit };
    this.#crashes = [...this.#crashes.filter((at) => now - at < this.#limits.windowMs), now];
    const crashes = this.#crashes.length;
    const last = crashes >= this.#limits.maxCrashes;
    const againInMs = Math.min(this.#limits.firstPauseMs * 2 ** (crashes - 1), this.#limits.maxPauseMs);
    this.#become(last ? "failed" : "restarting", describeExit(exit));
    this.#deps.report(this.spec, { kind: "crashed", exit, crashes, againInMs: last ? 0 : againInMs });
    if (last) {
      this.#giveUp(`crashed ${crashes} times within ${Math.round(this.#limits.windowMs / 1000)} s`);
      return;
    }
    this.#restarts += 1;
    await this.#deps.clock.sleep(againInMs, again);
  }

  #giveUp(detail: string): void {
    this.#become("failed", detail);
    this.#deps.report(this.spec, { kind: "gave_up", detail });
  }

  async #end(child: Child): Promise<void> {
    const { graceMs } = this.#limits;
    const over = new AbortController();
    child.signal(this.spec.stopSignal ?? "SIGTERM");
    const inTime = await Promise.race([
      child.exited.then(() => true),
      this.#deps.clock.sleep(graceMs, over.signal).then(() => false),
    ]);
    over.abort();
    if (!inTime) {
      this.#deps.report(this.spec, { kind: "killed", graceMs });
      child.killAll();
    }
    await child.exited;
  }

  #become(state: ProcessState, detail?: string): void {
    this.#state = state;
    this.#detail = detail;
    this.#deps.report(this.spec, { kind: "state", state });
    if (state === "ready") this.#firstReady.resolve();
    const isSettled = state === "ready" || state === "failed" || state === "stopped";
    if (isSettled) this.#settled.resolve(state);
    if (isSettled || state === "restarting") this.#restarted.resolve(state);
  }
}

/** A check that could not be made is a reason to wait, not to give up. */
function asSetupError(error: unknown): SetupError | string {
  return error instanceof SetupError ? error : messageOf(error);
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
