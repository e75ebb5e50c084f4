import { readdir, readFile, readlink } from "node:fs/promises";
import { commandLineOf } from "./process-identity.ts";

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const listening = "0A";

/** Whether anybody listens on a TCP port; undefined where `/proc` does not tell. */
export async function isListenedOn(port: number): Promise<boolean | undefined> {
  const inodes = await listenersOn(port);
  return inodes === undefined ? undefined : inodes.size > 0;
}

/** Who listens on a TCP port, as far as `/proc` tells: other users' processes it shows to root only. */
export async function holderOfPort(port: number): Promise<PortHolder | undefined> {
  const inodes = await listenersOn(port);
  if (inodes === undefined || inodes.size === 0) return undefined;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || !(await hasSocket(entry, inodes))) continue;
    const pid = Number(entry);
    const command = commandLineOf(pid) ?? "unknown";
    return { pid, command: command.length > 80 ? `${command.slice(0, 79)}…` : command };
  }
  return undefined;
}

/** The sockets that listen there, by inode. */
async function listenersOn(port: number): Promise<ReadonlySet<string> | undefined> {
  const tables = await Promise.all(["tcp", "tcp6"].map((table) => readTable(table)));
  if (tables.every((lines) => lines === undefined)) return undefined;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = tables
    .flatMap((lines) => lines ?? [])
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === listening);
  return new Set(sockets.flatMap((fields) => fields[9] ?? []));
}

async function readTable(table: string): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/net/${table}`, "utf8").catch(() => undefined);
  return text?.split("\n");
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
