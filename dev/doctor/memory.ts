import { readdir } from "node:fs/promises";

/**
 * Resident memory in bytes of each process with all its descendants, by pid; a process that is gone has none. Linux
 * reads `/proc`, other systems ask `ps`.
 */
export async function residentBytes(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const table = (await readProc()) ?? (await readPs());
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const sum = (pid: number): number =>
    (table.get(pid)?.bytes ?? 0) + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0);
  return new Map(pids.map((pid) => [pid, sum(pid)]));
}

interface Entry {
  readonly parent: number;
  readonly bytes: number;
}

async function readProc(): Promise<ReadonlyMap<number, Entry> | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return undefined;
  const table = new Map<number, Entry>();
  for (const name of names.filter((entry) => /^\d+$/.test(entry))) {
    const status = await Bun.file(`/proc/${name}/status`)
      .text()
      .catch(() => "");
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    // A process that is ending has no memory any more.
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? "0";
    if (parent !== undefined) table.set(Number(name), { parent: Number(parent), bytes: Number(kilobytes) * 1_024 });
  }
  return table;
}

async function readPs(): Promise<ReadonlyMap<number, Entry>> {
  const child = Bun.spawn(["ps", "-axo", "pid=,ppid=,rss="], { stdout: "pipe", stderr: "ignore" });
  const table = new Map<number, Entry>();
  for (const line of (await new Response(child.stdout).text()).split("\n")) {
    const [pid, parent, kilobytes] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && parent !== undefined && kilobytes !== undefined)
      table.set(pid, { parent, bytes: kilobytes * 1_024 });
  }
  return table;
}
