import { readFileSync } from "node:fs";
import { kill } from "node:process";

/** A pid alone may by now belong to a stranger; with its start time it names one process only. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks from boot to start. Elsewhere: seconds since the epoch. */
  readonly startTicks: number;
}

/** The start time of a living process, or undefined when there is none; one that waits to be reaped is not alive. */
export function startTicksOf(pid: number): number | undefined {
  const stat = readProcStat(pid);
  if (stat !== undefined) return stat.state === "Z" || stat.state === "X" ? undefined : stat.startTicks;
  if (hasProc) return undefined;
  const asked = Bun.spawnSync(["ps", "-o", "lstart=", "-p", String(pid)], {
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
  });
  const startedAt = Date.parse(asked.stdout.toString().trim());
  return Number.isNaN(startedAt) ? undefined : startedAt / 1000;
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return startTicksOf(pid) === startTicks;
}

/** Undefined where there is no `/proc`, or no such process. */
export function parentOf(pid: number): number | undefined {
  return readProcStat(pid)?.parent;
}

/** Changes with every boot, after which ticks start anew; empty where the system does not tell. */
export function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** Signals a process group whose leader is `pid`; that it is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalProcess(-pid, signal);
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

export function commandLineOf(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/cmdline`);
  return text === undefined || text === "" ? undefined : text.split("\0").join(" ").trim();
}

interface ProcStat {
  readonly state: string;
  readonly parent: number;
  readonly startTicks: number;
}

const hasProc = readText("/proc/self/stat") !== undefined;

function readProcStat(pid: number): ProcStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent] = fields ?? [];
  const startTicks = fields?.[19];
  if (state === undefined || parent === undefined || startTicks === undefined) return undefined;
  return { state, parent: Number(parent), startTicks: Number(startTicks) };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
