import type { FaultService } from "@vitrine/contracts/faults";
import type { Logger } from "../log.ts";
import type { Database, Queryable } from "../postgres/database.ts";
import { databaseEffects } from "./effects.ts";
import { createFaults, type Faults } from "./faults.ts";

export interface DatabaseFaultsOptions {
  readonly service: FaultService;
  /** Without it nothing can be switched on, and the database is the one that was given. */
  readonly enabled: boolean;
  readonly logger: Logger;
  /** A statement that locks the rows most requests need, such as `select … for update`: what lock contention holds. */
  readonly lock: string;
}

/** The faults of a service with a database, and the database as its routes should use it: slow while `slow_sql` is on. */
export function withFaults(
  database: Database,
  { service, enabled, logger, lock }: DatabaseFaultsOptions,
): { readonly faults: Faults; readonly database: Database } {
  const faults = createFaults({ service, enabled, logger, effects: databaseEffects(database, lock) });
  return { faults, database: enabled ? withSlowSql(database, faults) : database };
}

/** Statements wait for a sleep in PostgreSQL on their way. */
function withSlowSql(database: Database, faults: Faults): Database {
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
