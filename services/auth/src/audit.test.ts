import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createDatabase, type Database } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createAudit } from "./audit.ts";
import { verifyChain } from "./audit-chain.ts";
import type { AuditPosition } from "./audit-search.ts";
import { type Caller, ourselves } from "./caller.ts";

const caller: Caller = {
  requestId: "request-1",
  address: "203.0.113.77",
  maskedAddress: "203.0.113.0",
  userAgent: "agent/1",
};
const entry = { event: "authn_login_success", outcome: "success", action: "login", actor: "person-1" } as const;
const databases: Database[] = [];

async function startAudit(processes = 1) {
  const { url } = await startPostgres();
  const { logger, lines } = memoryLogger("auth");
  const made = Array.from({ length: processes }, () => {
    const database = createDatabase({ url, service: "auth", logger });
    databases.push(database);
    return { database, audit: createAudit({ database, logger, now: Date.now }) };
  });
  const [first] = made;
  if (first === undefined) throw new Error("at least one process");
  await migrate(first.database, join(import.meta.dir, "../migrations"), logger);
  return { ...first, all: made, lines };
}

afterAll(async () => {
  for (const database of databases) await database.close();
});

describe("the chain", () => {
  test("holds when two processes write at once, numbers rows without a gap, and grows by each of them", async () => {
    const { all, database } = await startAudit(2);
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => all[index % 2]?.audit.record(caller, entry, { ...entry, action: "x" })),
    );
    expect(await verifyChain(database)).toMatchObject({ rows: 120, brokenAt: undefined });
  });

  test("starts empty, and its head changes with every row", async () => {
    const { audit, database } = await startAudit();
    const empty = await verifyChain(database);
    expect(empty).toEqual({ rows: 0, head: "0".repeat(64), brokenAt: undefined, hashes: new Map() });
    await audit.record(ourselves, entry);
    expect((await verifyChain(database)).head).not.toBe(empty.head);
  });
});

describe("a change by whoever owns the table", () => {
  const forbidden = [
    "update audit_log set actor = 'nobody'",
    "delete from audit_log",
    "truncate audit_log",
    "delete from audit_log where seq = 2",
  ];

  test.each(forbidden)("is refused: %s", async (statement) => {
    const { audit, database } = await startAudit();
    for (let index = 0; index < 3; index += 1) await audit.record(caller, entry);
    expect(database.query(statement)).rejects.toThrow("append-only");
    expect(await verifyChain(database)).toMatchObject({ rows: 3, brokenAt: undefined });
  });

  test.each([
    ["altered", "update audit_log set actor = 'nobody' where seq = 3", 3],
    ["given another time", "update audit_log set at = at + interval '1 second' where seq = 2", 2],
    ["removed", "delete from audit_log where seq = 2", 3],
    ["removed at the front", "delete from audit_log where seq = 1", 2],
    ["given another hash", "update audit_log set actor = 'nobody', hash = sha256('x') where seq = 4", 4],
    [
      "swapped with another",
      "update audit_log set seq = case seq when 2 then 103 else 102 end where seq in (2, 3); update audit_log set seq = seq - 100 where seq > 100",
      2,
    ],
  ])("that went past the trigger shows as the first row that does not follow: %s", async (_, statement, brokenAt) => {
    const { audit, database } = await startAudit();
    for (let index = 0; index < 5; index += 1) await audit.record(caller, { ...entry, target: `row ${index}` });
    await database.query("alter table audit_log disable trigger user");
    for (const part of statement.split(";")) await database.query(part);
    expect(await verifyChain(database)).toMatchObject({ brokenAt });
  });
});

describe("what is stored", () => {
  let started: Awaited<ReturnType<typeof startAudit>>;

  beforeAll(async () => {
    started = await startAudit();
  });

  test("carries time, actor, action, target, reason, request, masked address, agent, session and client", async () => {
    const { audit } = started;
    const before = new Date().toISOString();
    await audit.record(caller, {
      event: "authz_fail",
      outcome: "failure",
      action: "user_change",
      actor: "person-1",
      target: "person-2",
      reason: "insufficient_scope",
      session: "session-1",
      client: "vitrine",
    });
    const [row] = await audit.page({ limit: 1 });
    expect(row).toEqual({
      seq: expect.any(Number),
      at: expect.any(String),
      event: "authz_fail",
      outcome: "failure",
      action: "user_change",
      actor: "person-1",
      target: "person-2",
      reason: "insufficient_scope",
      requestId: "request-1",
      address: "203.0.113.0",
      userAgent: "agent/1",
      sessionId: "session-1",
      clientId: "vitrine",
    });
    expect((row?.at ?? "") >= before).toBe(true);
  });

  test("is stored with the change it speaks of or not at all, and is logged only once it is stored", async () => {
    const { audit, database, lines } = started;
    const { rows } = await verifyChain(database);
    const logged = lines.length;
    const work = audit.transaction(caller, async (_, note) => {
      note({ ...entry, action: "planted" });
      throw new Error("the change failed");
    });
    expect(work).rejects.toThrow("the change failed");
    await work.catch(() => undefined);
    expect(await verifyChain(database)).toMatchObject({ rows });
    expect(lines.slice(logged).filter((line) => JSON.stringify(line).includes("planted"))).toEqual([]);
    await audit.record(caller, { ...entry, action: "kept" });
    expect(lines.at(-1)).toMatchObject({ action: "authn_login_success", user: "person-1", extra: { method: "kept" } });
  });

  test("is read newest first, page by page, to the first row", async () => {
    const { audit, database } = await startAudit();
    for (let index = 0; index < 5; index += 1) await audit.record(caller, entry);
    const seen: number[] = [];
    for (let before: AuditPosition | undefined; ;) {
      const page = await audit.page({ limit: 2, before });
      const last = page.at(-1);
      if (last === undefined) break;
      seen.push(...page.map(({ seq }) => seq));
      before = { atMs: Date.parse(last.at), seq: last.seq };
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    expect(await verifyChain(database)).toMatchObject({ rows: 5 });
  });
});
