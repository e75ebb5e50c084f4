import type { ProcessKind, ProcessState, RecordedProcess } from "./state.ts";
import { type ProcessSpec, Supervised, type SupervisedDeps } from "./supervised.ts";

/** A process as people see it. */
export interface ProcessRow {
  readonly name: string;
  readonly kind: ProcessKind;
  /** `ready`, `failed: …`, `building 42%`, … */
  readonly status: string;
  readonly state: ProcessState;
}

interface Member {
  readonly name: string;
  readonly kind: ProcessKind;
  /** Absent while an engine is still being provided, or could not be. */
  supervised?: Supervised;
  state: ProcessState;
  detail?: string | undefined;
  /** Resolved when it is not started for now because something it needs has failed. */
  readonly blocked: PromiseWithResolvers<"failed">;
}

export interface Dependencies {
  readonly after?: readonly string[];
  readonly maxWaitMs?: number;
  /** Start although one of them has failed. Otherwise it is not: it could only add its own complaints. */
  readonly evenIfFailed?: boolean;
}

/** A dependency that is slow to come must not keep the rest from showing what it can do. */
const defaultWaitMs = 30_000;
const maxRestartWaitMs = 5_000;

/**
 * Stopped tier by tier: what makes traffic first, then what serves it, so that each can still send its last telemetry
 * through the gateway, and the gateway its own to the collector. Whatever is not named here goes first.
 */
const stopTiers: readonly (readonly string[])[] = [
  ["generator", "console"],
  ["orders", "inventory", "notifier"],
  ["auth"],
  ["gateway", "postgres"],
  ["collector"],
  ["prometheus", "loki", "alertmanager", "jaeger"],
];

/** Every process of a system: starts each once what it needs is there, and ends them in order. */
export class Stack {
  readonly #deps: SupervisedDeps;
  readonly #members = new Map<string, Member>();
  #stopping = false;

  constructor(deps: SupervisedDeps) {
    this.#deps = deps;
  }

  /** Announces a process that is not known how to start yet. */
  announce(name: string, kind: ProcessKind, state: ProcessState, detail?: string): void {
    this.#members.set(name, { name, kind, state, detail, blocked: Promise.withResolvers() });
  }

  /** Starts a process once what it needs, as far as it is part of the stack, is ready or has kept it waiting too long. */
  add(spec: ProcessSpec, dependencies: Dependencies = {}): void {
    const { name, kind } = spec;
    const supervised = new Supervised(spec, this.#deps);
    const member: Member = { name, kind, state: "waiting", supervised, blocked: Promise.withResolvers() };
    this.#members.set(name, member);
    void this.#startAfter(member, supervised, dependencies);
  }

  async #startAfter(member: Member, supervised: Supervised, dependencies: Dependencies): Promise<void> {
    const { after = [], maxWaitMs = defaultWaitMs, evenIfFailed = false } = dependencies;
    for (const name of after) {
      const needed = this.#members.get(name);
      if (needed?.supervised === undefined) continue;
      const over = new AbortController();
      member.detail = `for ${name}`;
      const outcome = await Promise.race([settledOf(needed), this.#deps.clock.sleep(maxWaitMs, over.signal)]);
      over.abort();
      if (outcome !== "failed" || evenIfFailed) continue;
      member.blocked.resolve("failed");
      await needed.supervised.firstReady;
    }
    member.detail = undefined;
    if (!this.#stopping) supervised.start();
  }

  /**
   * Starts processes anew, tier by tier as they would be stopped, so that the rest goes on and no telemetry is lost;
   * one that does not come back holds the next tier up only for so long. Those not part of the stack are passed over.
   */
  async restart(names: ReadonlySet<string>): Promise<void> {
    for (const tier of this.#tiers()) {
      const chosen = tier.filter((supervised) => names.has(supervised.spec.name));
      if (chosen.length === 0 || this.#stopping) continue;
      const over = new AbortController();
      const restarted = Promise.all(chosen.map((supervised) => supervised.restart()));
      await Promise.race([restarted, this.#deps.clock.sleep(maxRestartWaitMs, over.signal)]);
      over.abort();
    }
  }

  #tiers(): readonly (readonly Supervised[])[] {
    const named = new Set(stopTiers.flat());
    const others = [...this.#members.keys()].filter((name) => !named.has(name));
    return [others, ...stopTiers].map((tier) => tier.flatMap((name) => this.#members.get(name)?.supervised ?? []));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const tier of this.#tiers()) await Promise.all(tier.map((supervised) => supervised.stop()));
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const { supervised } of this.#members.values()) supervised?.kill();
  }

  /** Resolves once each of these is ready or stays down; those not part of the stack are passed over. */
  async settled(names: readonly string[]): Promise<void> {
    await Promise.all(names.flatMap((name) => this.#members.get(name) ?? []).map((member) => settledOf(member)));
  }

  isReady(name: string): boolean {
    return this.#members.get(name)?.supervised?.state === "ready";
  }

  get records(): readonly RecordedProcess[] {
    return [...this.#members.values()].map((member) => recordOf(member));
  }

  get rows(): readonly ProcessRow[] {
    return this.records.map(({ name, kind, state, detail }) => ({
      name,
      kind,
      state,
      status: statusOf(state, detail),
    }));
  }
}

function settledOf({ supervised, blocked }: Member): Promise<ProcessState> {
  return supervised === undefined ? Promise.resolve("failed") : Promise.race([supervised.settled, blocked.promise]);
}

function recordOf({ name, kind, supervised, state, detail }: Member): RecordedProcess {
  const record = supervised?.record ?? { name, kind, pid: null, startTicks: null, state, restarts: 0 };
  return detail === undefined ? record : { ...record, detail };
}

function statusOf(state: ProcessState, detail: string | undefined): string {
  if (state === "providing") return detail ?? "being provided";
  const first = detail?.split("\n")[0];
  if (state === "waiting" && first !== undefined) return `waits ${first}`;
  return state === "ready" || first === undefined ? state : `${state}: ${first}`;
}
