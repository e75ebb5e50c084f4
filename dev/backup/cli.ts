import { join, resolve } from "node:path";
import process from "node:process";
import { layoutOf } from "../layout.ts";
import { startTicksOf } from "../process-identity.ts";
import { SetupError, UsageError } from "../setup-error.ts";
import { backUp } from "./backup.ts";
import { restore } from "./restore.ts";

const usage = `Usage: bun run backup [FOLDER]
       bun run restore FOLDER

  backup   copies database, metrics, logs and secrets of the running system into FOLDER
           (default: .vitrine/backups/TIME); traces are left out
  restore  puts them back; the system must not run, and what was there is moved aside`;

async function main([command, folder, ...rest]: readonly string[]): Promise<void> {
  const layout = layoutOf(process.env);
  const now = new Date();
  if (rest.length > 0 || folder?.startsWith("-") === true) throw new UsageError(usage);
  if (command === "backup") {
    const target = resolve(folder ?? join(layout.root, "backups", now.toISOString().replaceAll(/[:.]/g, "-")));
    const { parts } = await backUp({ layout, folder: target, now });
    for (const [part, { files, bytes }] of Object.entries(parts))
      write(`${part.padEnd(12)}${String(files).padStart(6)} files ${megabytes(bytes).padStart(10)}`);
    write(target);
  } else if (command === "restore" && folder !== undefined) {
    const me = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? 0 };
    const { manifest, aside } = await restore({ layout, folder: resolve(folder), now, me });
    for (const path of aside) write(`what was there lies in ${path}`);
    write(`restored what was kept at ${manifest.createdAt}`);
  } else throw new UsageError(usage);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError) && !(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
