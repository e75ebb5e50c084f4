import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../log.ts";
import type { Database, Queryable } from "./database.ts";

const fileForm = /^(\d{4})-[a-z0-9-]+\.sql$/;

/**
 * Applies the `NNNN-name.sql` files of `directory` that were not applied yet, in order and in one transaction under a
 * lock, so that any number of processes may start at once. Forward only: a file that was applied must not change.
 *
 * @throws Error when a file is misnamed, or differs from what was applied under its number
 */
export async function migrate(database: Database, directory: string, logger: Logger): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const wrong = files.find((name) => !fileForm.test(name));
  if (wrong !== undefined) throw new Error(`${wrong}: a migration is named NNNN-name.sql`);
  const applied = await database.transaction(async (tx) => {
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
  tx: Queryable,
  directory: string,
  name: string,
  appliedChecksum: string | undefined,
): Promise<boolean> {
  const sql = await Bun.file(join(directory, name)).text();
  const checksum = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
  if (appliedChecksum === checksum) return false;
  if (appliedChecksum !== undefined)
    throw new Error(`${name} was applied and has changed since; write a new migration instead`);
  for (const statement of statements(sql)) await tx.query(statement);
  await tx.query("insert into schema_migrations (name, checksum) values ($1, $2)", [name, checksum]);
  return true;
}

/** Statements end with `;` at the end of a line, so that bodies of functions may hold `;` inside a line. */
function statements(sql: string): readonly string[] {
  return sql
    .split(/;[ \t]*\r?\n/)
    .map((statement) =>
      statement
        .replaceAll(/^\s*--.*$/gm, "")
        .trim()
        .replace(/;$/, ""),
    )
    .filter((statement) => statement !== "");
}
