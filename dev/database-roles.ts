import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import { databaseName, readSecret } from "./secrets.ts";
import { databaseServices } from "./services.ts";
import { codeOf, SetupError } from "./setup-error.ts";

/** Makes database, roles and schemas, or brings them to what `deploy/postgres/roles.sql` says. */
export async function prepareRoles(layout: Layout, port: number): Promise<void> {
  const password = await readSecret(layout, "postgres-password");
  const script = (name: string) => readFile(join(layout.repoRoot, "deploy/postgres", name), "utf8");
  const [statistics, roles] = await Promise.all([script("statistics.sql"), script("roles.sql")]);
  await asSuperuser({ port, password, database: "postgres" }, async (sql) => {
    const found = await sql`select 1 from pg_database where datname = ${databaseName}`;
    if (found.length === 0) await sql.unsafe(`create database "${databaseName}"`);
    await sql.unsafe(statistics);
  });
  await asSuperuser({ port, password, database: databaseName }, async (sql) => {
    for (const role of [...databaseServices, "collector"]) {
      const secret = await readSecret(layout, `${role}-database-password`);
      await sql`select set_config(${`vitrine.${role}_password`}, ${secret}, false)`;
    }
    await sql.unsafe(statistics);
    await sql.unsafe(roles);
  });
}

interface Login {
  readonly port: number;
  readonly password: string;
  readonly database: string;
}

/** One connection: settings made by one statement must be seen by the next. */
export async function asSuperuser(login: Login, work: (sql: Bun.SQL) => Promise<void>): Promise<void> {
  const sql = new Bun.SQL({
    adapter: "postgres",
    hostname: "127.0.0.1",
    username: "postgres",
    ...login,
    max: 1,
    connectionTimeout: 5,
    tls: false,
  });
  try {
    await work(sql);
  } catch (cause) {
    if (isWrongPassword(cause))
      throw new SetupError(
        "The database under .vitrine/data was made with other secrets than those under .vitrine/secrets: bring those " +
          "back, or forget both with `bun run dev --reset`.",
        { cause },
      );
    throw cause;
  } finally {
    await sql.close();
  }
}

const invalidPassword = "28P01";

function isWrongPassword(error: unknown): boolean {
  if (codeOf(error) === invalidPassword) return true;
  return error instanceof Error && "errno" in error && error.errno === invalidPassword;
}
