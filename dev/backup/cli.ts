import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { layoutOf } from "../layout.ts";
import { startTicksOf } from "../process-identity.ts";
import { messageOf, SetupError, UsageError } from "../setup-error.ts";
import { backUp } from "./backup.ts";
import { composeSystem } from "./compose.ts";
import { deskSystem } from "./desk.ts";
import { restore } from "./restore.ts";

const usage = `Usage: bun run backup [--compose] [FOLDER]
       bun run restore [--compose] FOLDER

  backup     copies database, metrics, logs and secrets of the running system into FOLDER
             (default: .vitrine/backups/TIME); traces are left out
  restore    puts them back; the system must not run, and what was there is moved aside
  --compose  the system of compose.yaml instead of that of \`bun run dev\``;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [command, folder, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(usage);
  const layout = layoutOf(process.env);
  const now = new Date();
  const system = async () => {
    if (values.compose) return await composeSystem(process.env);
    return deskSystem(layout, { pid: process.pid, startTicks: startTicksOf(process.pid) ?? 0 });
  };
  if (command === "backup") {
    const target = resolve(folder ?? join(layout.root, "backups", now.toISOString().replaceAll(/[:.]/g, "-")));
    const { parts } = await backUp({ system: await system(), folder: target, now });
    for (const [part, { files, bytes }] of Object.entries(parts))
      write(`${part.padEnd(12)}${String(files).padStart(6)} files ${megabytes(bytes).padStart(10)}`);
    write(target);
  } else if (command === "restore" && folder !== undefined) {
    const { manifest, aside } = await restore({ system: await system(), folder: resolve(folder), now });
    for (const path of aside) write(`what was there lies in ${path}`);
    write(`restored what was kept at ${manifest.createdAt}`);
  } else throw new UsageError(usage);
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: { compose: { type: "boolean", default: false } }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${messageOf(error)}\n${usage}`, { cause: error });
  }
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
