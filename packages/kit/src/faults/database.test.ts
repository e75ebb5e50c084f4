import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { FaultName } from "@vitrine/contracts/faults";
import { createDatabase, type Database } from "../postgres/database.ts";
import { bestOfThree, until } from "../testing/eventually.ts";
import { memoryLogger } from "../testing/log.ts";
import { startPostgres } from "../testing/postgres.ts";
import { startTestTelemetry, type TestTelemetry } from "../testing/telemetry.ts";
import { withFaults } from "./database.ts";
import type { Faults } from "./faults.ts";

let telemetry: TestTelemetry;
let raw: Database;
let database: Database;
let faults: Faults;

beforeAll(async () => {
  telemetry = startTestTelemetry();
  const { logger } = memoryLogger();
  const { url } = await startPostgres();
  raw = createDatabase({
    url,
    service: "inventory",
    logger,
    maxConnections: 4,
    connectTimeoutMs: 2_000,
    slowQueryMs: 500,
  });
  await raw.query("create table things (id int primary key, amount int not null)");
  await raw.query("insert into things select n, 0 from generate_series(1, 50) n");
  const lock = "select id from things order by id for update";
  ({ faults, database } = withFaults(raw, { service: "inventory", enabled: true, logger, lock }));
});
afterEach(() => faults.close());
afterAll(async () => {
  await raw.close();
  await telemetry.stop();
});

const on = (name: FaultName, parameters: Record<string, number>) =>
  faults.switchOn(name, { forSeconds: 60, parameters });

async function timed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

const slowQueries = async () => (await telemetry.points("db.slow_queries")).reduce((sum, { value }) => sum + value, 0);
const touch = () => database.query("update things set amount = amount + 1 where id = 7");

describe("slow_sql", () => {
  test("makes statements slow and counted as such; afterwards they are as before", async () => {
    const before = await slowQueries();
    on("slow_sql", { delayMs: 600, ratio: 1 });
    expect(await timed(touch())).toBeGreaterThanOrEqual(595);
    expect(await timed(database.transaction(async (tx) => void (await tx.query("select 1"))))).toBeGreaterThanOrEqual(
      595,
    );
    expect(await slowQueries()).toBe(before + 2);
    faults.switchOff("slow_sql");
    await touch();
    expect(await slowQueries()).toBe(before + 2);
  });

  test("costs nothing where faults are not enabled: the database is the same object", () => {
    const { logger } = memoryLogger();
    const off = withFaults(raw, { service: "inventory", enabled: false, logger, lock: "" });
    expect(off.database).toBe(raw);
  });
});

test("pool_exhaustion leaves as many connections as it says, and gives all back", async () => {
  on("pool_exhaustion", { leave: 0 });
  let refused: unknown;
  while (refused === undefined)
    refused = await touch().then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(refused).toMatchObject({ code: "unavailable", reason: "database" });
  await faults.close();
  on("pool_exhaustion", { leave: 1 });
  for (let count = 0; count < 20; count += 1) await touch();
  await faults.close();
  const together = Array.from({ length: 4 }, () => database.transaction((tx) => tx.query("select pg_sleep(0.05)")));
  await Promise.all(together);
});

test("lock_contention makes whoever needs the rows wait, others not; afterwards nobody", async () => {
  on("lock_contention", { holdMs: 2_000 });
  let longest = 0;
  while (longest < 1_200) longest = Math.max(longest, await timed(touch()));
  expect(await bestOfThree(1_000, () => timed(database.query("select count(*) from things")))).toBeLessThan(1_000);
  await faults.close();
  expect(await bestOfThree(1_000, () => timed(touch()))).toBeLessThan(1_000);
});

test("memory_pressure takes as much memory as it says, and gives it back", async () => {
  const usedMb = () => process.memoryUsage().rss / 1_048_576;
  // What others of this process left behind is not to be given back in between.
  Bun.gc(true);
  const before = usedMb();
  on("memory_pressure", { megabytes: 200 });
  await until(() => usedMb() > before + 150);
  await faults.close();
  await until(() => usedMb() < before + 100);
});
