import { chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asSuperuser } from "../database-roles.ts";
import { databaseDir } from "../database.ts";
import type { Layout } from "../layout.ts";
import { readSecret } from "../secrets.ts";
import { copyTree } from "./copy-tree.ts";

/** What a running server makes anew, or must not find when it starts (PostgreSQL documentation, 25.3.4). */
const leftBehind =
  /^(?:postmaster\.(?:pid|opts)|pg_(?:wal|replslot|dynshmem|notify|serial|snapshots|stat_tmp|subtrans)\/.*|.*\/?pgsql_tmp.*|.*\/?pg_internal\.init.*)$/;

/**
 * A copy of the whole server while it runs, by its low-level functions: files first, which need not fit together, then
 * the log that makes them. A slot keeps the log meanwhile, and goes with the connection.
 */
export async function backUpPostgres(layout: Layout, port: number, to: string): Promise<void> {
  const password = await readSecret(layout, "postgres-password");
  const from = databaseDir(layout);
  const label = join(to, "backup_label");
  await asSuperuser({ port, password, database: "postgres" }, async (sql) => {
    await sql`select pg_create_physical_replication_slot('vitrine_backup', true, true)`;
    await sql`select pg_backup_start('vitrine', true)`;
    await copyTree(from, to, { skip: (path) => leftBehind.test(path) });
    const [stopped] = await sql`select labelfile from pg_backup_stop(false)`;
    await mkdir(join(to, "pg_wal"), { recursive: true });
    await copyTree(join(from, "pg_wal"), join(to, "pg_wal"));
    await writeFile(label, String(stopped.labelfile), { mode: 0o600 });
  });
  // Like the rest it belongs to the user the server runs as; whoever is not root is that user.
  const { uid, gid } = await stat(from);
  if (uid !== (await stat(label)).uid) await chown(label, uid, gid);
}
