import { afterEach, beforeEach, expect, test } from "bun:test";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { until } from "@vitrine/kit/testing/eventually";
import { createAuditWatch } from "./audit-watch.ts";
import { ourselves } from "./caller.ts";
import { startAuth, type TestAuth } from "./testing/start-auth.ts";

const entry = { event: "authn_login_success", outcome: "success", action: "password" } as const;

let telemetry: TestTelemetry;

// Anew for each: what is observed must be of one service.
beforeEach(() => {
  telemetry = startTestTelemetry();
});

afterEach(() => telemetry.stop());

/** A watch on a log of ten rows more, with the schedule given; the service's own has none. */
async function watched(everyMs: number, ownServer = false) {
  const auth = await startAuth({
    postgres: await startPostgres({ ownServer }),
    env: { AUDIT_CHECK_MINUTES: "0" },
  });
  for (let row = 0; row < 10; row += 1) await auth.audit.record(ourselves, { ...entry, target: `row ${row}` });
  const watch = createAuditWatch({ database: auth.database, logger: auth.logger, everyMs });
  const close = async () => {
    await watch.close();
    await auth[Symbol.asyncDispose]();
  };
  return { auth, watch, [Symbol.asyncDispose]: close };
}

async function tamper(auth: TestAuth, ...statements: readonly string[]): Promise<void> {
  await auth.database.query("alter table audit_log disable trigger user");
  for (const statement of statements) await auth.database.query(statement);
  await auth.database.query("alter table audit_log enable trigger user");
}

function linesOf(auth: TestAuth, action: string) {
  return auth.lines.filter((line) => line.action === action);
}

async function intact(): Promise<readonly number[]> {
  return (await telemetry.points("auth.audit_chain.intact")).map(({ value }) => value);
}

test("the log is checked again and again, and one altered row is an error in the log and a metric that falls to 0", async () => {
  await using started = await watched(10);
  const { auth, watch } = started;
  watch.start();
  await until(() => linesOf(auth, "auth.audit_chain_checked").length > 2);
  expect(linesOf(auth, "auth.audit_chain_checked")[0]).toMatchObject({ level: "info", extra: { rows: 11 } });
  expect(await intact()).toEqual([1]);
  expect(linesOf(auth, "auth.audit_chain_broken")).toEqual([]);

  await tamper(auth, "update audit_log set target = 'another' where seq = 5");
  await until(() => linesOf(auth, "auth.audit_chain_broken").length > 1);
  expect(linesOf(auth, "auth.audit_chain_broken")[0]).toMatchObject({
    level: "error",
    extra: { broken_at: 5, rows: 4 },
  });
  expect(await intact()).toEqual([0]);
  const outcomes = (await telemetry.points("auth.audit_chain.checks")).map(({ attributes }) => attributes["outcome"]);
  expect(new Set(outcomes)).toEqual(new Set(["broken", "intact"]));

  await tamper(auth, "update audit_log set target = 'row 3' where seq = 5");
  await until(async () => (await intact())[0] === 1);
});

test.each([
  ["cut short", ["delete from audit_log where seq > 8"], 9],
  ["cut short and written on", ["delete from audit_log where seq > 8"], 11],
  ["emptied", ["delete from audit_log"], 1],
])("a log that holds in itself and was %s since the last check is broken", async (how, statements, brokenAt) => {
  await using started = await watched(0);
  const { auth, watch } = started;
  expect(await watch.check()).toMatchObject({ rows: 11, brokenAt: undefined });
  await tamper(auth, ...statements);
  if (how.endsWith("written on")) for (let row = 0; row < 5; row += 1) await auth.audit.record(ourselves, entry);
  expect(await watch.check()).toMatchObject({ brokenAt });
  expect(await watch.check()).toMatchObject({ brokenAt });
});

test("a head that somebody kept is held against the log, and a wrong one raises no alarm", async () => {
  await using started = await watched(0);
  const { auth, watch } = started;
  const { rows, head } = await watch.check();
  await auth.audit.record(ourselves, entry);
  expect(await watch.check({ rows, head })).toMatchObject({ rows: rows + 1, brokenAt: undefined, follows: true });
  expect(await watch.check({ rows: rows - 1, head })).toMatchObject({ brokenAt: undefined, follows: false });
  expect(await watch.check({ rows: rows + 9, head })).toMatchObject({ brokenAt: undefined, follows: false });
  expect(linesOf(auth, "auth.audit_chain_broken")).toEqual([]);
});

test("a check the database gave no answer to says so, and the next one is made all the same", async () => {
  await using started = await watched(50, true);
  const { auth, watch } = started;
  await auth.postgres.stopServer();
  watch.start();
  await until(() => linesOf(auth, "auth.audit_chain_checked").some(({ level }) => level === "warn"));
  await auth.postgres.startServer();
  await until(() => linesOf(auth, "auth.audit_chain_checked").some(({ level }) => level === "info"));
  expect(linesOf(auth, "auth.audit_chain_broken")).toEqual([]);
});

test("the service checks on its own from its start", async () => {
  await using auth = await startAuth();
  await until(() => linesOf(auth, "auth.audit_chain_checked").length > 0);
});
