import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { memoryLogger } from "../testing/log.ts";
import { startPostgres } from "../testing/postgres.ts";
import { createDatabase, type DatabaseOptions, sqlState } from "./database.ts";
import { until } from "../testing/eventually.ts";

type Options = Partial<DatabaseOptions> & { readonly ownServer?: boolean };

/** Stands before a server; what that sends is held back on demand, and then arrives in one piece. */
async function startProxy(target: string) {
  const { hostname, port } = new URL(target);
  const sockets: Socket[] = [];
  let held: Buffer[] | undefined;
  let flush = (): void => undefined;
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    sockets.push(client, server);
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => undefined);
    client.pipe(server);
    server.on("data", (chunk: Buffer) => (held === undefined ? client.write(chunk) : held.push(chunk)));
    server.on("close", () => (held === undefined ? client.end() : undefined));
    flush = () => {
      client.end(Buffer.concat(held ?? []));
      held = undefined;
    };
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.listen(0, "127.0.0.1", resolve);
  await promise;
  const url = new URL(target);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    hold: () => void (held = []),
    holds: (text: string) => Buffer.concat(held ?? []).includes(text),
    letGo: () => flush(),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

async function open({ ownServer = false, ...options }: Options = {}) {
  const server = await startPostgres({ ownServer });
  const { logger, lines } = memoryLogger();
  const database = createDatabase({ url: server.url, service: "test", logger, ...options });
  return { server, database, lines };
}

/** A server of its own is slow on a busy machine. */
setDefaultTimeout(30_000);

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

  test("a query over the threshold is logged with its text and without its values, also those written into it", async () => {
    const { database, lines } = await open({ slowQueryMs: 1 });
    await database.query("select pg_sleep($1::float8),\n  $2::text, 'a secret', 4711 -- of anna", [0.02, "a secret"]);
    const slow = lines.filter((line) => line.action === "db.slow_query");
    expect(slow).toHaveLength(1);
    expect(slow[0]?.["extra"]).toEqual({
      statement: "select pg_sleep($1::float8), $2::text, ?, ?",
    });
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

  test("an idle connection that breaks is said, replaced, and does not end the process", async () => {
    const { server, database, lines } = await open();
    const [{ pid } = { pid: 0 }] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
    const admin = createDatabase({ url: server.url, service: "admin", logger: memoryLogger().logger });
    await admin.query("select pg_terminate_backend($1)", [pid]);
    await until(() => lines.some(({ message }) => message === "a database connection broke"));
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await admin.close();
    await database.close();
  });

  test("a connection that breaks while a transaction holds it fails that transaction and nothing else", async () => {
    const { server, database, lines } = await open();
    const admin = createDatabase({ url: server.url, service: "admin", logger: memoryLogger().logger });
    const work = database.transaction(async (tx) => {
      const [{ pid } = { pid: 0 }] = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
      await admin.query("select pg_terminate_backend($1)", [pid]);
      await until(() => lines.some(({ message }) => message === "a database connection broke"));
      await tx.query("select 1");
    });
    await expect(work).rejects.toMatchObject({ code: "unavailable" });
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await admin.close();
    await database.close();
  });

  test("a connection that ends with the answer to one fails the transaction that waited for it, and nothing else", async () => {
    const { server, database: admin } = await open();
    const proxy = await startProxy(server.url);
    const database = createDatabase({
      url: proxy.url,
      service: "test",
      logger: memoryLogger().logger,
      maxConnections: 1,
    });
    const [{ pid } = { pid: 0 }] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
    proxy.hold();
    const first = database.query("select 'the last answer' as said");
    const waiting = database.transaction((tx) => tx.query("select 1"));
    await until(() => proxy.holds("the last answer"));
    await admin.query("select pg_terminate_backend($1)", [pid]);
    await until(() => proxy.holds("terminating connection"));
    proxy.letGo();
    expect(await first).toEqual([{ said: "the last answer" }]);
    await expect(waiting).rejects.toMatchObject({ code: "unavailable" });
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await database.close();
    await admin.close();
    proxy.stop();
  });

  test("a query that finds no free connection in time is unavailable, and the pool goes on", async () => {
    const { database } = await open({ maxConnections: 1, connectTimeoutMs: 1_000 });
    await database.transaction(async () => {
      const refused = [database.query("select 1"), database.transaction(async () => undefined)];
      for (const outcome of await Promise.allSettled(refused)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "unavailable", reason: "database" } });
      }
    });
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await database.close();
  });

  test("a statement past its time is unavailable, and its connection is of use again", async () => {
    const { database } = await open({ maxConnections: 1, statementTimeoutMs: 500 });
    await expect(database.query("select pg_sleep(5)")).rejects.toMatchObject({
      code: "unavailable",
      headers: { "retry-after": "2" },
    });
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await database.close();
  });

  test("a fault of the statement is told as it is, with its SQLSTATE", async () => {
    const { database } = await open();
    await database.query("create table only_once (id int primary key)");
    await database.query("insert into only_once values ($1)", [1]);
    const error = await database.query("insert into only_once values ($1)", [1]).catch((thrown: unknown) => thrown);
    expect(sqlState(error)).toBe("23505");
    expect(sqlState(new Error("other"))).toBeUndefined();
    await database.close();
  });

  test("a table that changes under a prepared statement does not break it", async () => {
    const { database } = await open({ maxConnections: 2 });
    await database.query("create table changing (a int)");
    await database.query("insert into changing values ($1)", [1]);
    const read = () => database.query("select * from changing");
    const bothConnections = () => Promise.all([read(), read(), read(), read()]);
    await bothConnections();
    await database.query("alter table changing add column b int default 2");
    for (const rows of await bothConnections()) expect(rows).toEqual([{ a: 1, b: 2 }]);
    await database.query("alter table changing drop column a");
    const inTransaction = () => database.transaction((tx) => tx.query("select * from changing"));
    const first = await inTransaction().catch(sqlState);
    expect(JSON.stringify(first)).toMatch(/^\[{"b":2}\]$|^"0A000"$/);
    expect(await inTransaction()).toEqual([{ b: 2 }]);
    await database.close();
  });
});
