import type { Child, Exit, Launch, Spawn } from "./process-group.ts";
import type { Clock, ProcessSpec } from "./supervised.ts";

/** Time that passes only when told to. */
export class ManualClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });

  /** Lets time pass, waking sleepers in their order and letting each do its work. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.filter((sleeper) => sleeper.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#now = next.at;
      next.wake();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything that waits for nothing but its turn have it. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

export class FakeChild implements Child {
  readonly #exit = Promise.withResolvers<Exit>();
  readonly signals: string[] = [];
  readonly startTicks = 1;
  readonly exited = this.#exit.promise;
  readonly pid: number;
  readonly launch: Launch;
  readonly #obedient: boolean;

  constructor(pid: number, launch: Launch, obedient: boolean) {
    this.pid = pid;
    this.launch = launch;
    this.#obedient = obedient;
  }

  exit(code: number | null, signal: string | null = null): void {
    this.#exit.resolve({ code, signal });
  }

  signal(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    if (this.#obedient) this.exit(0);
  }

  killAll(): void {
    this.signals.push("SIGKILL");
    this.exit(null, "SIGKILL");
  }
}

/** Starts nothing, and keeps what it was asked to start. */
export function fakeSpawn(options: { readonly obedient?: boolean } = {}): {
  readonly spawn: Spawn;
  readonly children: FakeChild[];
} {
  const children: FakeChild[] = [];
  return {
    children,
    spawn: (launch) => {
      const child = new FakeChild(1000 + children.length, launch, options.obedient ?? true);
      children.push(child);
      return Promise.resolve(child);
    },
  };
}

export function fakeSpec(name: string, overrides: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    name,
    kind: "service",
    launch: () => Promise.resolve({ argv: [name], cwd: "/", env: {} }),
    ready: () => Promise.resolve(undefined),
    onLine: () => undefined,
    ...overrides,
  };
}
