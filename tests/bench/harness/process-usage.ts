import { readFile } from "node:fs/promises";

export interface ProcessUsage {
  /** User and system time of all threads since the process began. */
  readonly cpuMicros: number;
  readonly residentBytes: number;
}

let ticksPerSecond: number | undefined;

/** What the operating system has charged a process; `undefined` where there is no `/proc`. */
export async function processUsage(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/status`, "utf8"),
    ]);
    ticksPerSecond ??= Number(Bun.spawnSync(["getconf", "CLK_TCK"]).stdout.toString()) || 100;
    return {
      cpuMicros: (cpuTicks(stat) / ticksPerSecond) * 1e6,
      residentBytes: residentBytes(status),
    };
  } catch {
    return undefined;
  }
}

/** utime + stime, fields 14 and 15 of proc_pid_stat(5); the name before them may itself hold spaces and brackets. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

export function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}
