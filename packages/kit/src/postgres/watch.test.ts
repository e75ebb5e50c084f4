import { expect, test } from "bun:test";
import { memoryLogger } from "../testing/log.ts";
import { startPostgres, type TestPostgres } from "../testing/postgres.ts";
import { createDatabase } from "./database.ts";
import { watchDatabase } from "./watch.ts";

async function open(server: TestPostgres, everyMs: number) {
  const { logger } = memoryLogger();
  const database = createDatabase({ url: server.url, service: "test", logger });
  await database.query("create table watched (value int not null)");
  await database.query("insert into watched values (1)");
  const values: string[] = [];
  const watch = watchDatabase({
    url: server.url,
    service: "test",
    logger,
    channel: "watched",
    probe: "select value::text from watched",
    onValue: async (value) => void values.push(value),
    everyMs,
  });
  return {
    database,
    values,
    [Symbol.asyncDispose]: async () => {
      await watch.close();
      await database.close();
    },
  };
}

async function untilSeen(values: readonly string[], value: string): Promise<void> {
  while (values.at(-1) !== value) await Bun.sleep(1);
}

test("an announced change is told long before the next probe", async () => {
  await using opened = await open(await startPostgres(), 60_000);
  await untilSeen(opened.values, "1");
  await opened.database.transaction(async (tx) => {
    await tx.query("update watched set value = 2");
    await tx.query("notify watched");
  });
  await untilSeen(opened.values, "2");
  expect(opened.values).toEqual(["1", "2"]);
}, 60_000);

test("a change nobody announced is told by the next probe", async () => {
  await using opened = await open(await startPostgres(), 20);
  await untilSeen(opened.values, "1");
  await opened.database.query("update watched set value = 2");
  await untilSeen(opened.values, "2");
}, 60_000);

test("a change made while the server was away is told once it is back", async () => {
  const server = await startPostgres({ ownServer: true });
  await using opened = await open(server, 60_000);
  await untilSeen(opened.values, "1");
  await opened.database.query("update watched set value = 2");
  await server.stopServer();
  await server.startServer();
  await untilSeen(opened.values, "2");
}, 60_000);
