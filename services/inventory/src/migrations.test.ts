import { expect, test } from "bun:test";
import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startOldPostgres } from "@vitrine/kit/testing/migrations";
import { createReservationStore } from "./store/reservations.ts";

const directory = join(import.meta.dir, "../migrations");

test("what was held before reservations could expire is held on, and can be sold or given back", async () => {
  const [held, early] = [crypto.randomUUID(), crypto.randomUUID()];
  const { url } = await startOldPostgres("inventory", directory, "0001-stock.sql", (old) =>
    old.transaction(async (tx) => {
      await tx.query("insert into stock (piece_id, available, reserved) values ('piece-1', 3, 2)");
      await tx.query("insert into reservations (id, piece_id, quantity, status) values ($1, 'piece-1', 2, 'held')", [
        held,
      ]);
      await tx.query("insert into reservations (id, status, released_at) values ($1, 'released', now())", [early]);
    }),
  );
  const { logger } = memoryLogger();
  const database = createDatabase({ url, service: "inventory", logger });
  try {
    await migrate(database, directory, logger);
    await migrate(database, directory, logger);
    const reservations = createReservationStore(database);
    expect(await reservations.expire()).toEqual([]);
    expect((await reservations.find(held))?.status).toBe("held");
    expect(await reservations.release(early, "test")).toEqual({ kind: "nothing" });
    expect((await reservations.commit(held, "test")).kind).toBe("committed");
  } finally {
    await database.close();
  }
});
