import { describe, expect, test } from "bun:test";
import { memoryLogger } from "../testing/log.ts";
import { startPostgres } from "../testing/postgres.ts";
import { createDatabase } from "./database.ts";

async function open(options: { readonly ownServer?: boolean; readonly slowQueryMs?: number } = {}) {
  const server = await startPostgres(options);
  const { logger, lines } = memoryLogger();
  const database = createDatabase({
    url: server.url,
    service: "test",
    logger,
    ...(options.slowQueryMs === undefined ? {} : { slowQueryMs: options.slowQueryMs }),
  });
  return { server, database, lines };
}

describe("database", () => {
  test("a query takes parameters and returns rows", async () => {
    const { database } = await open();
    expect(await database.query("select $1::int + 1 as next", [41])).toEqual([{ next: 42 }]);
    await database.close();
  });

  test("a transaction whose work throws leaves nothing behind", async () => {
    const { database } = await open();
    await database.query("create table kept (id int)");
    const failing = database.transaction(async (tx) => {
      await tx.query("insert into kept values (1)");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await database.query("select * from kept")).toEqual([]);
    await database.close();
  });

  test("a query over the threshold is logged with its normalised text and without its values", async () => {
    const { database, lines } = await open({ slowQueryMs: 1 });
    await database.query("select pg_sleep($1::float8),\n  $2::text", [0.02, "a secret"]);
    const slow = lines.filter((line) => line.action === "db.slow_query");
    expect(slow).toHaveLength(1);
    expect(slow[0]?.["extra"]).toEqual({
      statement: "select pg_sleep($1::float8), $2::text",
    });
    await database.close();
  });

  test("a connection that breaks between two statements of a transaction fails the transaction, not the process", async () => {
    const { server, database, lines } = await open({ ownServer: true });
    const work = database.transaction(async (tx) => {
      await tx.query("select 1");
      await server.stopServer();
      while (!lines.some((line) => line.message === "a database connection broke")) await Bun.sleep(1);
      await tx.query("select 1");
    });
    await expect(work).rejects.toMatchObject({ code: "unavailable" });
    await server.startServer();
    await database.close();
  });

  test("while the server is away queries fail as unavailable, and work again once it is back", async () => {
    const { server, database } = await open({ ownServer: true });
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await server.stopServer();
    await expect(database.query("select 1 as one")).rejects.toMatchObject({
      code: "unavailable",
      status: 503,
    });
    await expect(database.transaction((tx) => tx.query("select 1"))).rejects.toMatchObject({ code: "unavailable" });
    await server.startServer();
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await database.close();
  });
});
