import { readdir, readFile, readlink } from "node:fs/promises";
import { commandLineOf } from "./process-identity.ts";

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const listening = "0A";

/** Who listens on a TCP port, as far as `/proc` tells: other users' processes it shows to root only. */
export async function holderOfPort(port: number): Promise<PortHolder | undefined> {
  const inodes = new Set((await Promise.all(["tcp", "tcp6"].map((table) => listenersIn(table, port)))).flat());
  if (inodes.size === 0) return undefined;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || !(await hasSocket(entry, inodes))) continue;
    const pid = Number(entry);
    const command = commandLineOf(pid) ?? "unknown";
    return { pid, command: command.length > 80 ? `${command.slice(0, 79)}…` : command };
  }
  return undefined;
}

async function listenersIn(table: string, port: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/net/${table}`, "utf8").catch(() => "");
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === listening)
    .flatMap((fields) => fields[9] ?? []);
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
