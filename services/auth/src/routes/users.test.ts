import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createdUser, listedUser, type ListedUser, listedUserPage, resetPassword } from "@vitrine/contracts/users";
import { clientToken, personToken } from "../testing/person-token.ts";
import { readToken, startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let nowMs = Date.now();
let admin = "";

beforeAll(async () => {
  auth = await startAuth({ now: () => nowMs, env: { DEMO: "on" } });
  admin = await personToken(auth, "admin");
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

async function send(method: string, path = "", body?: object, token = admin) {
  return auth.app.request(`/api/auth/users${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

let people = 0;
async function make(change: object = {}) {
  people += 1;
  const response = await send("POST", "", { name: `person-${people}`, ...change });
  expect(response.status).toBe(201);
  return createdUser.parse(await response.json());
}

async function signIn(name: string, password = "") {
  return readToken(await auth.json("/api/auth/login", { name, password }));
}

async function list(): Promise<readonly ListedUser[]> {
  const found: ListedUser[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "?limit=2" : `?limit=2&cursor=${cursor}`;
    const page: ReturnType<typeof listedUserPage.parse> = listedUserPage.parse(await (await send("GET", query)).json());
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

async function lastAudit(target: string) {
  const [row] = await auth.database.query(
    "select event, outcome, action, reason from audit_log where target = $1 order by seq desc limit 1",
    [target],
  );
  return row;
}

describe("making people", () => {
  test("a person gets the role asked for and a password that is told once and kept nowhere in clear", async () => {
    const { id, name, role, password = "" } = await make({ role: "operator" });
    expect(role).toBe("operator");
    expect((await signIn(name, password)).scope).toContain("keys:admin");
    expect(await lastAudit(id)).toEqual({
      event: "user_created",
      outcome: "success",
      action: "user_create",
      reason: null,
    });
    const [row] = await auth.database.query<{ text: string }>(
      "select (select string_agg(u::text, ' ') from users u) || (select string_agg(a::text, ' ') from audit_log a) as text",
    );
    expect(row?.text).not.toContain(password);
    expect(JSON.stringify([auth.lines, await list()])).not.toContain(password);
  });

  test("a password that is given is used and not told", async () => {
    const made = await make({ password: "an orchid in the window" });
    expect(made).not.toHaveProperty("password");
    expect(await signIn(made.name, "an orchid in the window")).toMatchObject({ token_type: "Bearer" });
  });

  test("a name that is taken, a guessable password and an unknown role are refused", async () => {
    const { name } = await make();
    const statuses = [
      await send("POST", "", { name: name.toUpperCase() }),
      await send("POST", "", { name: "somebody", password: "password123" }),
      await send("POST", "", { name: "somebody", role: "owner" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([409, 400, 400]);
  });
});

test("the list has everyone once, ordered by name, with those who are disabled", async () => {
  const { id } = await make({ name: "aaa-first" });
  expect((await send("PATCH", `/${id}`, { disabled: true })).status).toBe(200);
  const all = await list();
  expect(all[0]).toMatchObject({ name: "aaa-first", disabled: true, demo: false });
  const names = all.map(({ name }) => name.toLowerCase());
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("vip");
});

describe("changing people", () => {
  test("another role ends the tokens there are, and the next one has what the role may", async () => {
    const { id, name, password } = await make();
    const { access_token } = await signIn(name, password);
    expect(listedUser.parse(await (await send("PATCH", `/${id}`, { role: "operator" })).json())).toMatchObject({
      role: "operator",
    });
    expect((await auth.me(access_token)).status).toBe(401);
    expect(await lastAudit(id)).toMatchObject({ event: "authz_change", outcome: "success", reason: "operator" });
    nowMs += 1_000;
    expect((await signIn(name, password)).scope).toContain("keys:admin");
  });

  test("who is disabled is signed out and cannot sign in until enabled", async () => {
    const { id, name, password = "" } = await make();
    const { access_token, refresh_token } = await signIn(name, password);
    await send("PATCH", `/${id}`, { disabled: true });
    expect((await auth.me(access_token)).status).toBe(401);
    expect((await auth.json("/api/auth/refresh", { refresh_token })).status).toBe(401);
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(401);
    await send("PATCH", `/${id}`, { disabled: false });
    nowMs += 1_000;
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(200);
  });

  test("a reset tells a new password once, and ends the old one with every session", async () => {
    const { id, name, password = "" } = await make();
    const { access_token, refresh_token } = await signIn(name, password);
    const reset = resetPassword.parse(await (await send("POST", `/${id}/password`)).json());
    expect((await auth.me(access_token)).status).toBe(401);
    expect((await auth.json("/api/auth/refresh", { refresh_token })).status).toBe(401);
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(401);
    nowMs += 1_000;
    expect((await auth.json("/api/auth/login", { name, password: reset.password })).status).toBe(200);
    expect(await lastAudit(id)).toMatchObject({ event: "user_updated", action: "password_reset" });
    expect(JSON.stringify(auth.lines)).not.toContain(reset.password);
  });

  test("who does not exist is not found, and the demo visitor stays what it is", async () => {
    const nobody = Bun.randomUUIDv7();
    expect((await send("PATCH", `/${nobody}`, { role: "admin" })).status).toBe(404);
    expect((await send("POST", `/${nobody}/password`)).status).toBe(404);
    expect((await send("PATCH", "/not-an-id", { role: "admin" })).status).toBe(400);
    const demo = (await list()).find(({ name }) => name === "vip");
    expect((await send("PATCH", `/${demo?.id}`, { role: "admin" })).status).toBe(403);
    expect((await send("POST", `/${demo?.id}/password`)).status).toBe(404);
  });
});

test("of two last administrators who end each other at once, one stays", async () => {
  await using own = await startAuth();
  const tokens = [await personToken(own, "admin"), await personToken(own, "admin")];
  await own.database.query("update users set role = 'viewer' where name = 'admin'");
  const ids = (await own.database.query<{ id: string }>("select id from users where role = 'admin' order by id")).map(
    ({ id }) => id,
  );
  expect(ids).toHaveLength(2);
  const answers = await Promise.all(
    ids.map((id, at) =>
      own.app.request(`/api/auth/users/${id}`, {
        method: "PATCH",
        headers: { authorization: `Bearer ${tokens[at]}`, "content-type": "application/json" },
        body: JSON.stringify(at === 0 ? { role: "viewer" } : { disabled: true }),
      }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  expect(await own.database.query("select id from users where role = 'admin' and disabled_at is null")).toHaveLength(1);
});

test("operators, viewers and services may not administer people", async () => {
  const { id } = await make();
  for (const token of [
    await personToken(auth, "operator"),
    await personToken(auth, "viewer"),
    await clientToken(auth, "orders"),
  ]) {
    const answers = [
      await send("GET", "", undefined, token),
      await send("POST", "", { name: "somebody" }, token),
      await send("PATCH", `/${id}`, { role: "admin" }, token),
      await send("POST", `/${id}/password`, undefined, token),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  }
});
