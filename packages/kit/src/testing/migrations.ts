import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, type Database } from "../postgres/database.ts";
import { migrate } from "../postgres/migrate.ts";
import { memoryLogger } from "./log.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";

/**
 * A database as an earlier release of a service left it: only the migrations up to and including `through` were run, and
 * `fill` wrote rows as that release did. The present one is then started on it.
 */
export async function startOldPostgres(
  service: string,
  migrations: string,
  through: string,
  fill: (database: Database) => Promise<void>,
): Promise<TestPostgres> {
  const names = (await readdir(migrations)).filter((name) => name.endsWith(".sql") && name <= through);
  if (!names.includes(through)) throw new Error(`${migrations} has no ${through}`);
  const server = await startPostgres();
  const { logger } = memoryLogger();
  const directory = await mkdtemp(join(tmpdir(), "vitrine-migrations-"));
  const database = createDatabase({ url: server.url, service, logger });
  try {
    for (const name of names) await copyFile(join(migrations, name), join(directory, name));
    await migrate(database, directory, logger);
    await fill(database);
  } finally {
    await database.close();
    await rm(directory, { recursive: true });
  }
  return server;
}
