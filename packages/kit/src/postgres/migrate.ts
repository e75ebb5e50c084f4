import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Database, Transaction } from "./database.ts";

const fileForm = /^(\d{4})-[a-z0-9-]+\.sql$/;

/**
 * Applies the `NNNN-name.sql` files of `directory` that were not applied yet, in order and in one transaction under a
 * lock, so that any number of processes may start at once. Forward only: a file that was applied must not change. A
 * file holds any SQL that may run inside a transaction, and must not end it.
 *
 * @throws Error when a file is misnamed, shares its number with another, fails, or was applied and has changed since
 */
export async function migrate(database: Database, directory: string, logger: Logger): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const wrong = files.find((name) => !fileForm.test(name));
  if (wrong !== undefined) throw new Error(`${wrong}: a migration is named NNNN-name.sql`);
  const twin = files.find((name, index) => name.slice(0, 4) === files[index + 1]?.slice(0, 4));
  if (twin !== undefined) throw new Error(`${twin}: another migration has the same number`);
  const applied = await database.transaction(async (tx) => {
    // Another process may be at a long migration.
    await tx.query("set local statement_timeout = 0");
    await tx.query("select pg_advisory_xact_lock(hashtext('vitrine migrations'), hashtext(current_schema()::text))");
    await tx.query(
      "create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())",
    );
    const done = new Map(
      (await tx.query<{ name: string; checksum: string }>("select name, checksum from schema_migrations")).map(
        (row) => [row.name, row.checksum],
      ),
    );
    const fresh: string[] = [];
    for (const name of files) {
      if (await apply(tx, directory, name, done.get(name))) fresh.push(name);
    }
    return fresh;
  });
  if (applied.length > 0)
    logger.info({ action: "db.migrated", extra: { migrations: applied } }, `applied ${applied.length} migrations`);
}

async function apply(
  tx: Transaction,
  directory: string,
  name: string,
  appliedChecksum: string | undefined,
): Promise<boolean> {
  const sql = await Bun.file(join(directory, name)).text();
  const checksum = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
  if (appliedChecksum === checksum) return false;
  if (appliedChecksum !== undefined)
    throw new Error(`${name} was applied and has changed since; write a new migration instead`);
  await tx.script(sql).catch((cause: unknown) => {
    if (cause instanceof ServiceError) throw cause;
    throw new Error(`${name} failed: ${cause instanceof Error ? cause.message : "unknown error"}`, { cause });
  });
  await tx.query("insert into schema_migrations (name, checksum) values ($1, $2)", [name, checksum]);
  return true;
}
