import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { platform } from "node:os";
import { basename, join } from "node:path";
import {
  binariesFor,
  type PostgresBinaries,
  postgresUser,
  type SystemUser,
} from "@vitrine/kit/testing/postgres-binaries";
import type { Child, Launch } from "./process-group.ts";
import { type Layout, secretFile } from "./layout.ts";
import { prepareRoles } from "./database-roles.ts";
import { signalProcess, startTicksOf } from "./process-identity.ts";
import { messageOf, SetupError } from "./setup-error.ts";
import type { ProcessSpec } from "./supervised.ts";

export interface DatabaseOptions {
  readonly layout: Layout;
  readonly port: number;
  readonly runnerUid: number;
  readonly onLine: (line: string) => void;
}

/** Few and small: three services with a pool of ten each on one desk. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  // A socket file would need a folder that two checkouts do not share, with a path of at most 107 bytes.
  unix_socket_directories: "",
  max_connections: "80",
  shared_buffers: "32MB",
  work_mem: "4MB",
  maintenance_work_mem: "32MB",
  max_wal_size: "256MB",
  io_method: "sync",
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.max": "1000",
  track_io_timing: "on",
  log_min_duration_statement: "500ms",
  log_line_prefix: "%m [%p] ",
  // Statements may hold personal data; the services log slow ones with their parameters left out.
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
};

export function databaseDir(layout: Layout): string {
  return join(layout.data, "postgres");
}

/** The embedded PostgreSQL as a supervised process: ready once it answers and has every role. */
export function databaseSpec(options: DatabaseOptions): ProcessSpec {
  const dataDir = databaseDir(options.layout);
  let prepared: number | undefined;
  return {
    name: "postgres",
    kind: "database",
    // SIGTERM would wait for clients that never leave; SIGINT disconnects them and writes everything to disk.
    stopSignal: "SIGINT",
    onLine: options.onLine,
    launch: () => launchDatabase(options, dataDir),
    ready: async (child) => {
      if (!(await isAnswering(dataDir, child))) return "its own recovery";
      if (prepared === child.pid) return undefined;
      await prepareRoles(options.layout, options.port);
      prepared = child.pid;
      return undefined;
    },
  };
}

async function launchDatabase({ layout, port, runnerUid }: DatabaseOptions, dataDir: string): Promise<Launch> {
  const user = await postgresUser(runnerUid, dataDir).catch(toSetupError);
  const binaries = await binariesFor(user).catch(toSetupError);
  await mkdir(layout.data, { recursive: true });
  if (!(await isInitialised(dataDir))) await initialise(layout, dataDir, binaries, user);
  await clearLeftover(dataDir);
  const place = placeOf(dataDir, user);
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return {
    argv: [binaries.postgres, "-D", place.path, "-p", String(port), ...flags],
    cwd: place.cwd,
    env: environment,
    ...(user === undefined ? {} : { user: { uid: user.uid, gid: user.gid } }),
  };
}

const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } as const;

/**
 * Where PostgreSQL is told its data lies. Another user may not enter a private folder above the checkout, but a
 * process can always reach its own working directory, so on Linux that is the name it is given.
 */
function placeOf(dataDir: string, user: SystemUser | undefined): { readonly path: string; readonly cwd: string } {
  const hidden = user !== undefined && platform() === "linux";
  return { path: hidden ? "/proc/self/cwd" : dataDir, cwd: dataDir };
}

async function isInitialised(dataDir: string): Promise<boolean> {
  return (await readFile(join(dataDir, "PG_VERSION"), "utf8").catch(() => undefined)) !== undefined;
}

/** Made under another name and moved, so that a start killed half way leaves nothing that looks whole. */
async function initialise(
  layout: Layout,
  dataDir: string,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<void> {
  const draft = `${dataDir}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await chmod(draft, 0o700);
  if (user !== undefined) await chown(draft, user.uid, user.gid);
  const place = placeOf(draft, user);
  const password = await openForUser(secretFile(layout, "postgres-password"), user);
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${place.path}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      "--pwfile=/dev/stdin",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
    ],
    { cwd: place.cwd, env: environment, stdio: [password.fd, "ignore", "pipe"], ...user },
  );
  let fault = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (fault += text));
  const code = await new Promise<number | null>((settle, reject) => child.once("close", settle).once("error", reject));
  await password.close();
  if (code !== 0) throw new SetupError(`PostgreSQL could not make its data folder ${dataDir}:\n${fault.trim()}`);
  await rename(draft, dataDir);
}

/** A copy that has no name any more and can be read by that user: `initdb` opens its standard input anew. */
async function openForUser(path: string, user: SystemUser | undefined): Promise<FileHandle> {
  const copy = `${path}.${randomUUID()}`;
  try {
    await writeFile(copy, await readFile(path), { mode: 0o600, flag: "wx" });
    if (user !== undefined) await chown(copy, user.uid, user.gid);
    return await open(copy, "r");
  } finally {
    await rm(copy, { force: true });
  }
}

/** Ends a server that a killed runner left on this data, and forgets a `postmaster.pid` that names a stranger. */
async function clearLeftover(dataDir: string): Promise<void> {
  for (const pid of await serversOn(dataDir)) await endServer(pid);
  const named = await postmasterPid(dataDir);
  // PostgreSQL refuses to start when that pid lives, whatever it is by now; nobody is left on the data at this point.
  if (named !== undefined && startTicksOf(named) !== undefined && platform() === "linux")
    await rm(join(dataDir, "postmaster.pid"), { force: true });
}

/** Every server process works in its data folder. */
async function serversOn(dataDir: string): Promise<readonly number[]> {
  const real = await realpath(dataDir);
  const found: number[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    if ((await readlink(`/proc/${entry}/cwd`).catch(() => "")) !== real) continue;
    if (basename(await readlink(`/proc/${entry}/exe`).catch(() => "")) === "postgres") found.push(Number(entry));
  }
  return found;
}

const leftoverGraceMs = 5_000;

async function endServer(pid: number): Promise<void> {
  const startTicks = startTicksOf(pid);
  if (startTicks === undefined) return;
  signalProcess(pid, "SIGINT");
  const deadline = Date.now() + leftoverGraceMs;
  while (startTicksOf(pid) === startTicks) {
    if (Date.now() > deadline) signalProcess(pid, "SIGKILL");
    await Bun.sleep(20);
  }
}

async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** PostgreSQL writes its state into the eighth line of `postmaster.pid`. */
async function isAnswering(dataDir: string, child: Child): Promise<boolean> {
  const lines = (await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  return Number(lines[0]) === child.pid && lines[7]?.trim() === "ready";
}

function toSetupError(cause: unknown): never {
  throw new SetupError(messageOf(cause), { cause });
}
