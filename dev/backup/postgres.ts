/** What a running server makes anew, or must not find when it starts (PostgreSQL documentation, 25.3.4). */
const leftBehind = {
  files: ["postmaster.pid", "postmaster.opts"],
  contentsOf: [
    "pg_wal",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
  ],
  namesThatBegin: ["pgsql_tmp", "pg_internal.init"],
} as const;

/** Takes a path below the data directory. */
export function isLeftBehind(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    leftBehind.files.some((file) => path === file) ||
    leftBehind.contentsOf.some((folder) => path.startsWith(`${folder}/`)) ||
    leftBehind.namesThatBegin.some((start) => name.startsWith(start))
  );
}

/** The same as arguments of tar, for paths that begin with `./`. */
export const leftBehindByTar: readonly string[] = [
  "--anchored",
  ...leftBehind.files.map((file) => `--exclude=./${file}`),
  ...leftBehind.contentsOf.map((folder) => `--exclude=./${folder}/*`),
  "--no-anchored",
  ...leftBehind.namesThatBegin.map((start) => `--exclude=${start}*`),
];

/** A server as a backup needs it; `ask` is always the same session. */
export interface Server {
  /** The first column of the first row, as text. */
  ask(statement: string): Promise<string>;
  copyFiles(): Promise<void>;
  copyLog(): Promise<void>;
  writeLabel(label: string): Promise<void>;
}

/**
 * A copy of the whole server while it runs, by its low-level functions: files first, which need not fit together, then
 * the log that makes them. A slot keeps the log meanwhile, and goes with the session.
 */
export async function savePostgres(server: Server): Promise<void> {
  await server.ask("select slot_name from pg_create_physical_replication_slot('vitrine_backup', true, true)");
  await server.ask("select pg_backup_start('vitrine', true)");
  await server.copyFiles();
  const label = await server.ask("select labelfile from pg_backup_stop(false)");
  await server.copyLog();
  await server.writeLabel(label);
}
