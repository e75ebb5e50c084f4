import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createThresholds } from "../thresholds/thresholds.ts";

/** Thresholds on a database of their own. */
export async function startThresholds() {
  const { url } = await startPostgres();
  const { logger, lines } = memoryLogger("console");
  const database = createDatabase({ url, service: "console", logger });
  await migrate(database, join(import.meta.dir, "../../migrations"), logger);
  const thresholds = createThresholds({ database, logger, now: Date.now, newId: () => Bun.randomUUIDv7() });
  return { thresholds, database, lines };
}
