import { expect, test } from "bun:test";
import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { revoke } from "./revocations.ts";

async function open() {
  const { url } = await startPostgres();
  const { logger } = memoryLogger("auth");
  const database = createDatabase({ url, service: "auth", logger, maxConnections: 20 });
  await migrate(database, join(import.meta.dir, "../migrations"), logger);
  return database;
}

const soon = { kind: "jti", atMs: 1_000, expiresAtMs: 2_000_000_000_000 } as const;

test("a revocation is numbered by its commit: one committed late comes after all that were read before it", async () => {
  const database = await open();
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  const { promise: written, resolve: onWritten } = Promise.withResolvers<void>();
  const late = database.transaction(async (tx) => {
    await revoke(tx, { ...soon, id: "late" });
    onWritten();
    await hold;
  });
  await written;
  await database.transaction((tx) => revoke(tx, { ...soon, id: "early" }));
  const read = await database.query<{ seq: string; subject: string }>("select seq, subject from feed_entries");
  expect(read).toMatchObject([{ subject: "early" }]);
  release();
  await late;
  const rest = await database.query("select subject from feed_entries where seq > $1", [read[0]?.seq]);
  expect(rest).toEqual([{ subject: "late" }]);
  await database.close();
});

test("a reader that goes on from the last number it saw misses nothing of 400 concurrent transactions", async () => {
  const database = await open();
  const seen: string[] = [];
  let after = "0";
  let writing = true;
  async function read(): Promise<void> {
    const rows = await database.query<{ seq: string; subject: string }>(
      "select seq, subject from feed_entries where seq > $1 order by seq",
      [after],
    );
    seen.push(...rows.map(({ subject }) => subject));
    after = rows.at(-1)?.seq ?? after;
  }
  const reader = (async () => {
    while (writing) await read();
  })();
  const ids = Array.from({ length: 400 }, (_, index) => `token-${index}`);
  await Promise.all(ids.map((id) => database.transaction((tx) => revoke(tx, { ...soon, id }))));
  writing = false;
  await reader;
  await read();
  expect(seen.toSorted()).toEqual(ids.toSorted());
  await database.close();
});

test("a transaction that fails takes nothing back", async () => {
  const database = await open();
  const failing = database.transaction(async (tx) => {
    await revoke(tx, { ...soon, id: "never" });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await database.query("select * from feed_entries")).toEqual([]);
  await database.close();
});
