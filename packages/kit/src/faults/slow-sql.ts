import type { Database, Queryable } from "../postgres/database.ts";
import type { Faults } from "./faults.ts";

/**
 * The database with `slow_sql`: while it is on, statements wait for a sleep in PostgreSQL on their way. The database
 * itself where faults are not enabled.
 */
export function withSlowSql(database: Database, faults: Faults): Database {
  if (!faults.enabled) return database;

  async function sleep(on: Queryable): Promise<void> {
    const slow = faults.parametersOf("slow_sql");
    if (slow !== undefined && Math.random() < slow.ratio)
      await on.query("select pg_sleep($1::float8 / 1000)", [slow.delayMs]);
  }

  return {
    ...database,
    query: async (text, values) => {
      await sleep(database);
      return await database.query(text, values);
    },
    transaction: (work) =>
      database.transaction(async (tx) => {
        // Once in a transaction: its statements would add up to more than callers wait for.
        await sleep(tx);
        return await work(tx);
      }),
  };
}
