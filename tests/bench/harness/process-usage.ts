import { readdir, readFile } from "node:fs/promises";

export interface ProcessUsage {
  /** User and system time of all threads since the process began. */
  readonly cpuMicros: number;
  readonly residentBytes: number;
}

export interface TreeUsage extends ProcessUsage {
  /** CPU by the name of the program. */
  readonly cpuMicrosBy: Readonly<Record<string, number>>;
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

/** What is charged to processes and everything they started; `undefined` when one of them cannot be read. */
export async function treeUsage(pids: readonly number[]): Promise<TreeUsage | undefined> {
  const cpuMicrosBy: Record<string, number> = {};
  let residentBytes = 0;
  for (const pid of (await Promise.all(pids.map(withChildren))).flat()) {
    const usage = await processUsage(pid);
    if (usage === undefined) return undefined;
    const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "gone")).trim().replace(/\.exe$/, "");
    cpuMicrosBy[name] = (cpuMicrosBy[name] ?? 0) + usage.cpuMicros;
    residentBytes += usage.residentBytes;
  }
  return { cpuMicros: Object.values(cpuMicrosBy).reduce((sum, micros) => sum + micros, 0), residentBytes, cpuMicrosBy };
}

async function withChildren(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  const children = lists.flatMap((list) =>
    list.split(" ").flatMap((child) => (child.trim() === "" ? [] : [Number(child)])),
  );
  return [pid, ...(await Promise.all(children.map(withChildren))).flat()];
}

/** utime + stime, fields 14 and 15 of proc_pid_stat(5); the name before them may itself hold spaces and brackets. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

export function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}
