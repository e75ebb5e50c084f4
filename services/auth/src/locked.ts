import type { Database, Queryable } from "@vitrine/kit/postgres";

/** Runs `work` in a transaction that no other process of this schema is in under the same name. */
export function locked<T>(database: Database, name: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return database.transaction(async (tx) => {
    await takeLock(tx, name);
    return work(tx);
  });
}

/** Waits until no other transaction of this schema holds the name, and holds it until the end of this one. */
export async function takeLock(tx: Queryable, name: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('vitrine auth ' || $1), hashtext(current_schema()::text))", [
    name,
  ]);
}
