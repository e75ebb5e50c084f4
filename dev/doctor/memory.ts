import { readdir } from "node:fs/promises";

/**
 * Resident memory in bytes of each process with all its descendants, by pid; a process that is gone has none. On Linux
 * a page that several processes share is divided among them (proportional set size), so that the sum is what the system
 * takes; other systems ask `ps`, which counts such a page for each.
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
    if (parent !== undefined) table.set(Number(name), { parent: Number(parent), bytes: await ownBytes(name, status) });
  }
  return table;
}

/** A process that is ending has no memory any more; one of another user shows its resident pages only. */
async function ownBytes(pid: string, status: string): Promise<number> {
  const rollup = await Bun.file(`/proc/${pid}/smaps_rollup`)
    .text()
    .catch(() => "");
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? "0";
  return Number(kilobytes) * 1_024;
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
