import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLogger } from "../testing/log.ts";
import { startPostgres } from "../testing/postgres.ts";
import { createDatabase, type Database } from "./database.ts";
import { migrate } from "./migrate.ts";

/** Processes and servers of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

let root: string;
const opened: Database[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "vitrine-migrate-"));
});

afterAll(async () => {
  for (const database of opened) await database.close();
  await rm(root, { recursive: true, force: true });
});

/** An empty database, and a directory of migrations that the test fills. */
async function open() {
  const { url } = await startPostgres();
  const directory = join(root, crypto.randomUUID());
  await mkdir(directory);
  const connect = (to = url) => {
    const { logger, lines } = memoryLogger();
    const database = createDatabase({ url: to, service: "test", logger });
    opened.push(database);
    return { database, lines, migrate: () => migrate(database, directory, logger) };
  };
  const write = (files: Readonly<Record<string, string>>) =>
    Promise.all(Object.entries(files).map(([name, sql]) => writeFile(join(directory, name), sql)));
  return { ...connect(), connect, write, directory, url };
}

const names = (database: Database) =>
  database
    .query<{ readonly name: string }>("select name from schema_migrations order by name")
    .then((rows) => rows.map(({ name }) => name));

let opening: Awaited<ReturnType<typeof open>>;

beforeEach(async () => {
  opening = await open();
});

describe("migrations", () => {
  test("are applied in the order of their numbers, once, and new ones on top", async () => {
    const { database, lines, write, migrate } = opening;
    await write({
      "0002-second.sql": "insert into steps values (2);",
      "0001-first.sql": "create table steps (n int); insert into steps values (1);",
      "README.md": "not a migration",
    });
    await migrate();
    await migrate();
    await write({ "0010-third.sql": "insert into steps values (10)" });
    await migrate();
    expect(await database.query("select n from steps")).toEqual([{ n: 1 }, { n: 2 }, { n: 10 }]);
    expect(lines.map(({ action, extra }) => [action, extra])).toEqual([
      ["db.migrated", { migrations: ["0001-first.sql", "0002-second.sql"] }],
      ["db.migrated", { migrations: ["0010-third.sql"] }],
    ]);
  });

  test("hold whatever SQL holds: functions, quotes, comments, a missing last semicolon", async () => {
    const { database, write, migrate } = opening;
    await write({
      "0001-all.sql": `
        -- a comment; with a semicolon
        create table steps (id int generated always as identity, note text default 'a;
b -- not a comment'); /* another;
        */
        create function touch() returns trigger language plpgsql as $body$
        begin
          new.note := new.note || ';';
          -- inside;
          return new;
        end;
        $body$;
        create trigger touched before insert on steps for each row execute function touch();
        do $$ begin perform 1; end; $$;
        create function two() returns int language sql begin atomic select 1; select 2; end;
        insert into steps default values -- no semicolon`,
      "0002-empty.sql": "-- nothing yet\n",
    });
    await migrate();
    expect(await database.query("select note, two() as two from steps")).toEqual([
      { note: "a;\nb -- not a comment;", two: 2 },
    ]);
    expect(await names(database)).toEqual(["0001-all.sql", "0002-empty.sql"]);
  });

  test("of processes that start at once are applied by one of them", async () => {
    const { database, write, connect, migrate } = opening;
    await write({
      "0001-first.sql": "create table steps (n int); select pg_sleep(0.05);",
      "0002-second.sql": "insert into steps values (1);",
    });
    const others = Array.from({ length: 4 }, () => connect());
    await Promise.all([migrate(), ...others.map((other) => other.migrate())]);
    expect(await database.query("select n from steps")).toEqual([{ n: 1 }]);
    const applied = [...others, opening].flatMap(({ lines }) => lines).filter(({ action }) => action === "db.migrated");
    expect(applied).toHaveLength(1);
  });

  test("that fail are named, and leave nothing of the whole run behind", async () => {
    const { database, write, migrate } = opening;
    await write({
      "0001-first.sql": "create table steps (n int);",
      "0002-second.sql": "insert into steps values (1);\nselect * from nowhere;",
    });
    await expect(migrate()).rejects.toThrow('0002-second.sql failed: relation "nowhere" does not exist');
    expect(
      await database.query("select to_regclass('steps') as steps, to_regclass('schema_migrations') as done"),
    ).toEqual([{ steps: null, done: null }]);
    await write({ "0002-second.sql": "insert into steps values (1);" });
    await migrate();
    expect(await database.query("select n from steps")).toEqual([{ n: 1 }]);
  });

  test("that were applied and have changed since are refused, and nothing new is applied", async () => {
    const { database, write, migrate } = opening;
    await write({ "0001-first.sql": "create table steps (n int);" });
    await migrate();
    await write({
      "0001-first.sql": "create table steps (n int); ",
      "0002-second.sql": "insert into steps values (1);",
    });
    await expect(migrate()).rejects.toThrow("0001-first.sql was applied and has changed since");
    expect(await database.query("select n from steps")).toEqual([]);
  });

  test("may be fewer than were applied: an older version of a service starts on a newer schema", async () => {
    const { write, migrate, directory, database } = opening;
    await write({
      "0001-first.sql": "create table steps (n int);",
      "0002-second.sql": "insert into steps values (1);",
    });
    await migrate();
    await rm(join(directory, "0002-second.sql"));
    await migrate();
    expect(await names(database)).toEqual(["0001-first.sql", "0002-second.sql"]);
  });

  test.each(["1-first.sql", "0001_first.sql", "0001-First.sql", "0001-.sql", "first.sql", "00001-first.sql"])(
    "named %s are refused before anything is applied",
    async (name) => {
      const { database, write, migrate } = opening;
      await write({ "0000-good.sql": "create table steps (n int);", [name]: "select 1;" });
      await expect(migrate()).rejects.toThrow(`${name}: a migration is named NNNN-name.sql`);
      expect(await database.query("select to_regclass('steps') as steps")).toEqual([{ steps: null }]);
    },
  );

  test("that share a number are refused", async () => {
    const { write, migrate } = opening;
    await write({ "0001-one.sql": "select 1;", "0001-other.sql": "select 1;" });
    await expect(migrate()).rejects.toThrow("0001-one.sql: another migration has the same number");
  });

  test("belong to the schema of the role: two services share a database without seeing each other", async () => {
    const { database, url, write, connect } = opening;
    await write({ "0001-first.sql": "create table steps (who text default current_user);" });
    const services = [];
    for (const suffix of ["a", "b"]) {
      const role = `role_${suffix}_${crypto.randomUUID().replaceAll("-", "")}`;
      await database.transaction(async (tx) => {
        await tx.script(
          `create role ${role} login password 'test-only'; create schema ${role} authorization ${role};
           alter role ${role} set search_path = ${role};`,
        );
      });
      const address = new URL(url);
      address.username = role;
      address.password = "test-only";
      services.push({ role, ...connect(address.href) });
    }
    await Promise.all(services.map((service) => service.migrate()));
    for (const { role, database: own } of services) {
      expect(await names(own)).toEqual(["0001-first.sql"]);
      expect(await own.query("insert into steps default values returning who")).toEqual([{ who: role }]);
      expect(await database.query("select schemaname from pg_tables where schemaname = $1", [role])).toHaveLength(2);
    }
  });

  test("may take longer than a statement otherwise may", async () => {
    const { url, write, directory } = opening;
    const { logger } = memoryLogger();
    const database = createDatabase({ url, service: "test", logger, statementTimeoutMs: 30 });
    opened.push(database);
    await write({ "0001-slow.sql": "select pg_sleep(0.1);" });
    await migrate(database, directory, logger);
    await expect(database.query("select pg_sleep(0.1)")).rejects.toMatchObject({ code: "unavailable" });
  });
});
