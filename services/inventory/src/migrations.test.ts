import { expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createReservationStore } from "./store/reservations.ts";

const directory = join(import.meta.dir, "../migrations");

test("what was held before reservations could expire is held on, and can be sold or given back", async () => {
  const { logger } = memoryLogger();
  const database = createDatabase({ url: (await startPostgres()).url, service: "inventory", logger });
  const first = await mkdtemp(join(tmpdir(), "vitrine-migrations-"));
  try {
    await cp(join(directory, "0001-stock.sql"), join(first, "0001-stock.sql"));
    await migrate(database, first, logger);
    const [held, early] = [crypto.randomUUID(), crypto.randomUUID()];
    await database.transaction(async (tx) => {
      await tx.query("insert into stock (piece_id, available, reserved) values ('piece-1', 3, 2)");
      await tx.query("insert into reservations (id, piece_id, quantity, status) values ($1, 'piece-1', 2, 'held')", [
        held,
      ]);
      await tx.query("insert into reservations (id, status, released_at) values ($1, 'released', now())", [early]);
    });
    await migrate(database, directory, logger);
    await migrate(database, directory, logger);
    const reservations = createReservationStore(database);
    expect(await reservations.expire()).toEqual([]);
    expect((await reservations.find(held))?.status).toBe("held");
    expect(await reservations.release(early, "test")).toEqual({ kind: "nothing" });
    expect((await reservations.commit(held, "test")).kind).toBe("committed");
  } finally {
    await database.close();
    await rm(first, { recursive: true });
  }
});
