import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { grantTypes, userNameTokenType } from "@vitrine/contracts/auth";
import { auditPage } from "@vitrine/contracts/people";
import { problem } from "@vitrine/contracts/problem";
import type { AuditEntry } from "../audit.ts";
import { verifyChain } from "../audit-chain.ts";
import { ourselves } from "../caller.ts";
import { createIngestKey } from "../ingest-keys.ts";
import { personToken } from "../testing/person-token.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

const startMs = Date.parse("2026-11-21T07:00:00Z");
const hourMs = 3_600_000;
let auth: TestAuth;
let clockMs = Date.now();
let token = "";

beforeAll(async () => {
  auth = await startAuth({ now: () => clockMs, env: { AUDIT_CHECK_MINUTES: "0" } });
  token = await personToken(auth, "admin");
});

afterAll(() => auth[Symbol.asyncDispose]());

// What each test records is of a time of its own, so that it finds nothing of the others.
let fromMs = startMs;
beforeEach(() => {
  fromMs += 1_000 * hourMs;
  clockMs = fromMs;
});

async function read(query: Readonly<Record<string, string>>, bearer = token) {
  // A token is no older than the time it is used at.
  clockMs = Date.now();
  const answer = await auth.send("GET", `/api/auth/audit?${new URLSearchParams(query).toString()}`, { token: bearer });
  expect(answer.status).toBe(200);
  return auditPage.parse(await answer.json());
}

const ofThisTest = () => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(fromMs + 500 * hourMs).toISOString(),
});

const find = async (query: Readonly<Record<string, string>>, bearer?: string) =>
  (await read({ limit: "100", ...ofThisTest(), ...query }, bearer)).items;

const reasonsOf = async (query: Readonly<Record<string, string>>) => (await find(query)).map(({ reason }) => reason);

async function person(name: string): Promise<string> {
  const id = Bun.randomUUIDv7();
  await auth.database.query("insert into users (id, name, role, password_hash) values ($1, $2, 'viewer', '')", [
    id,
    name,
  ]);
  return id;
}

const entry = { event: "authz_change", outcome: "success", action: "role_change" } as const;
const record = (...entries: readonly AuditEntry[]) => auth.audit.record(ourselves, ...entries);

async function key(name: string): Promise<string> {
  const made = await createIngestKey(auth, { name, scopes: ["logs:write"], service: "shop" }, "nobody", ourselves);
  if (made === "too_many_keys") throw new Error("there are too many keys");
  return made.stored.id;
}

describe("names", () => {
  test("of people, clients and keys are told beside their ids, as they are now, also of who is disabled", async () => {
    const [anna, berta, partner] = [await person("Anna"), await person("Berta"), await key("partner")];
    await auth.database.query("update users set disabled_at = now() where id = $1", [berta]);
    await record(
      { ...entry, actor: anna, target: berta },
      { ...entry, actor: "orders", target: partner },
      { ...entry, actor: "schedule" },
    );
    expect((await find({ action: "role_change" })).toReversed()).toMatchObject([
      {
        actor: anna,
        actorKnownAs: { kind: "person", name: "Anna" },
        target: berta,
        targetKnownAs: { kind: "person", name: "Berta" },
      },
      {
        actor: "orders",
        actorKnownAs: { kind: "client", name: "orders" },
        target: partner,
        targetKnownAs: { kind: "ingest_key", name: "partner" },
      },
      { actor: "schedule", actorKnownAs: null, target: null, targetKnownAs: null },
    ]);
  });

  test("are in no row of the log: who is gone is told by the id alone, and every row holds", async () => {
    const gone = await person("Celestine");
    await record({ ...entry, actor: gone, target: gone });
    await auth.database.query("delete from users where id = $1", [gone]);
    expect(await find({ who: gone })).toMatchObject([
      { actor: gone, actorKnownAs: null, target: gone, targetKnownAs: null },
    ]);
    expect(await find({ who: "Celestine" })).toEqual([]);
    const stored = await auth.database.query("select t::text as row from audit_log t");
    expect(JSON.stringify(stored)).not.toContain("Celestine");
    expect(await verifyChain(auth.database)).toMatchObject({ brokenAt: undefined });
  });

  test("of keys are neither told nor found without the right to see keys", async () => {
    const id = await key("boutique");
    const [admin] = await auth.database.query<{ name: string }>("select name from users where name like 'admin-%'");
    const form = { grant_type: grantTypes.tokenExchange, subject_token_type: userNameTokenType };
    clockMs = Date.now();
    const narrow = await auth.token(
      { ...form, subject_token: admin?.name ?? "", scope: "users:admin" },
      basic("cli", testSecrets.cli),
    );
    const { access_token, scope } = await readToken(narrow);
    expect(scope).toBe("users:admin");
    expect(await find({ who: "boutique" })).toMatchObject([{ target: id, targetKnownAs: { name: "boutique" } }]);
    expect(await find({ who: "boutique" }, access_token)).toEqual([]);
    expect(await find({ who: id }, access_token)).toMatchObject([{ target: id, targetKnownAs: null }]);
  });
});

describe("what is narrowed", () => {
  test("by somebody is what they did and what was done to them, by name in any case, by id, by client", async () => {
    const [dora, emil] = [await person("Dora"), await person("Emil")];
    await record(
      { ...entry, actor: dora, target: emil, reason: "dora to emil" },
      { ...entry, actor: emil, target: dora, reason: "emil to dora" },
      { ...entry, actor: emil, reason: "emil" },
      { ...entry, actor: "orders", target: emil, reason: "client to emil" },
      { ...entry, reason: "nobody" },
    );
    expect(await reasonsOf({ who: "dORA" })).toEqual(["emil to dora", "dora to emil"]);
    expect(await reasonsOf({ who: dora })).toEqual(["emil to dora", "dora to emil"]);
    expect(await reasonsOf({ who: "orders" })).toEqual(["client to emil"]);
    expect(await reasonsOf({ who: "emil" })).toEqual(["client to emil", "emil", "emil to dora", "dora to emil"]);
    expect(await reasonsOf({ who: "dor" })).toEqual([]);
    expect(await reasonsOf({ who: "%" })).toEqual([]);
    expect(await reasonsOf({})).toHaveLength(5);
  });

  test("by event, action and outcome is what fits all of them", async () => {
    const fritz = await person("Fritz");
    await record(
      { event: "authn_login_fail", outcome: "failure", action: "password", actor: fritz, reason: "1" },
      { event: "authn_login_success", outcome: "success", action: "password", actor: fritz, reason: "2" },
      { event: "authn_second_factor", outcome: "failure", action: "totp", actor: fritz, reason: "3" },
      { event: "authn_login_fail", outcome: "failure", action: "password", reason: "4" },
    );
    expect(await reasonsOf({ event: "authn_login_fail" })).toEqual(["4", "1"]);
    expect(await reasonsOf({ action: "password" })).toEqual(["4", "2", "1"]);
    expect(await reasonsOf({ outcome: "failure" })).toEqual(["4", "3", "1"]);
    expect(await reasonsOf({ who: "fritz", action: "password", outcome: "failure" })).toEqual(["1"]);
  });

  test("by time holds its first moment and not its last, in whatever zone it is written", async () => {
    for (const reason of ["0", "1", "2"]) {
      clockMs = fromMs + Number(reason) * hourMs;
      await record({ ...entry, reason });
    }
    const at = (hours: number, ms = 0) => new Date(fromMs + hours * hourMs + ms).toISOString();
    expect(await reasonsOf({ from: at(1) })).toEqual(["2", "1"]);
    expect(await reasonsOf({ from: at(1, 1) })).toEqual(["2"]);
    expect(await reasonsOf({ from: at(0), to: at(1) })).toEqual(["0"]);
    expect(await reasonsOf({ from: at(1), to: at(1, 1) })).toEqual(["1"]);
    expect(await reasonsOf({ from: at(3).replace("Z", "+02:00"), to: at(4).replace("Z", "+02:00") })).toEqual(["1"]);
    expect((await read({ from: "0000-01-01T00:00:00Z", to: "9999-12-31T23:59:59.999-23:59" })).items).not.toEqual([]);
  });

  test("is read page by page, each row once, though all are of one millisecond and new ones come", async () => {
    const [gerd, hans] = [await person("Gerd"), await person("Hans")];
    for (let index = 0; index < 7; index += 1)
      await record({ ...entry, actor: gerd, target: index % 2 === 0 ? gerd : hans, reason: `${index}` }, entry);
    const seen: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const page = await read({ limit: "3", who: "gerd", ...ofThisTest(), ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.items.map(({ reason }) => reason));
      clockMs = fromMs + 1;
      await record({ ...entry, actor: gerd, reason: "new" });
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
  });
});

describe("a question nobody can answer", () => {
  const longName = "x".repeat(129);
  const two = { from: "2026-11-21T08:00:00Z", to: "2026-11-21T08:00:00Z" };
  const refused: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ who: "" }, "who"],
    [{ who: longName }, "who"],
    [{ who: "an\u0000na" }, "who: must be a name or an id, without spaces"],
    [{ event: "order.failed" }, "event: must be one of authn_login_success"],
    [{ action: "role change" }, "action: must be an action such as role_change"],
    [{ outcome: "maybe" }, "outcome: must be success or failure"],
    [{ from: "yesterday" }, "from: must be a time such as 2026-11-21T07:00:00Z"],
    [{ to: "2026-02-30T07:00:00Z" }, "to: must be a time such as"],
    [{ to: "2026-11-21" }, "to: must be a time such as"],
    [two, "from: must be earlier than to"],
    [{ cursor: "MTIz" }, "cursor: take it from `next` of the page before"],
    [{ actor: "anna" }, "actor"],
  ];

  test.each(refused)("is told what is wrong with it: %j", async (query, told) => {
    clockMs = Date.now();
    const answer = await auth.send("GET", `/api/auth/audit?${new URLSearchParams(query).toString()}`, { token });
    expect(answer.status).toBe(400);
    expect(problem.parse(await answer.json()).detail).toContain(told);
  });

  test("is refused before it is read where the token may not administer people", async () => {
    clockMs = Date.now();
    const operator = await personToken(auth, "operator");
    const answer = await auth.send("GET", "/api/auth/audit?who=anna", { token: operator });
    expect(answer.status).toBe(403);
  });
});
