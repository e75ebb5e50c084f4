import { cpus } from "node:os";

/** How commands are kept on cores, so that throughput of the gate is throughput of one core. */
export interface Cores {
  /** Put before the command of a gate. */
  readonly gate: readonly string[];
  /** Put before the commands of everything else. */
  readonly rest: readonly string[];
  readonly pinned: boolean;
}

/** The last core is the gate's alone, as far as others leave it; without `taskset` or a second core nothing is pinned. */
export function planCores(path: string, count = cpus().length): Cores {
  if (count < 2 || Bun.which("taskset", { PATH: path }) === null) return { gate: [], rest: [], pinned: false };
  return {
    gate: ["taskset", "-c", String(count - 1)],
    rest: ["taskset", "-c", count === 2 ? "0" : `0-${count - 2}`],
    pinned: true,
  };
}
