import { afterAll, beforeAll, expect, test } from "bun:test";
import type { IngestKey } from "@vitrine/contracts/ingest-keys";
import type { SigningKey } from "@vitrine/contracts/signing-keys";
import type { ListedUser } from "@vitrine/contracts/users";
import { createAuthApi } from "../../dev/auth-api.ts";
import { runKeys } from "../../dev/keys.ts";
import { runUsers } from "../../dev/users.ts";
import { personToken } from "../../services/auth/src/testing/person-token.ts";
import { startAuth, type TestAuth } from "../../services/auth/src/testing/start-auth.ts";

let auth: TestAuth;
let admin = "";

beforeAll(async () => {
  auth = await startAuth();
  admin = await personToken(auth, "admin");
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

/** What a command prints as JSON, asked of the real service. */
async function run<T>(command: "keys" | "users", ...args: readonly string[]): Promise<T> {
  const output: string[] = [];
  const api = createAuthApi({
    gatewayUrl: "http://gateway.test",
    token: async () => admin,
    fetch: async (url, init) => auth.app.request(url, init),
  });
  const world = { api, write: (text: string) => void output.push(text), now: Date.now };
  await (command === "keys" ? runKeys : runUsers)([...args, "--json"], world);
  return JSON.parse(output.join("")) as T;
}

type Made = IngestKey & { readonly key: string };

test("bun run keys makes, rotates, lists and revokes ingest keys of the auth service", async () => {
  const first = await run<Made>(
    "keys",
    "create",
    "shop",
    "--scopes",
    "logs:write",
    "--service",
    "shop",
    "--expires",
    "90d",
  );
  const second = await run<Made>("keys", "rotate", "shop");
  for (const { key, id } of [first, second])
    expect(auth.keyring.identify(key)).toMatchObject({ jti: id, scope: "logs:write", service: "shop" });
  await expect(run("keys", "rotate", "shop")).rejects.toThrow("too_many_keys");
  await run("keys", "revoke", first.id);
  expect(() => auth.keyring.identify(first.key)).toThrow(expect.objectContaining({ reason: "revoked" }));
  const listed = await run<readonly IngestKey[]>("keys", "list");
  expect(listed).toHaveLength(2);
  expect(listed).toContainEqual(expect.objectContaining({ id: first.id, status: "revoked" }));
  await expect(run("keys", "revoke", "0000000000000000")).rejects.toThrow("no such ingest key");
});

test("bun run keys signing shows the signing keys and rotates them", async () => {
  const before = await run<readonly SigningKey[]>("keys", "signing");
  expect(before.map(({ status }) => status)).toEqual(["signing"]);
  const after = await run<readonly SigningKey[]>("keys", "signing", "rotate");
  expect(after.map(({ status }) => status)).toEqual(["next", "signing"]);
});

test("bun run users audit-check finds a security event that was altered, and a log that was cut short", async () => {
  await using own = await startAuth();
  const token = await personToken(own, "admin");
  const check = async (...args: readonly string[]) => {
    const output: string[] = [];
    const api = createAuthApi({
      gatewayUrl: "http://gateway.test",
      token: async () => token,
      fetch: async (url, init) => own.app.request(url, init),
    });
    await runUsers(["audit-check", ...args], { api, write: (text) => void output.push(text) });
    return output.join("").split("\n")[0] ?? "";
  };
  const alter = async (statement: string) => {
    await own.database.query("alter table audit_log disable trigger user");
    await own.database.query(statement);
    await own.database.query("alter table audit_log enable trigger user");
  };
  const kept = await check();
  await personToken(own, "viewer");
  expect(await check(kept)).not.toBe(kept);
  const [row] = await own.database.query<{ reason: string | null }>("select reason from audit_log where seq = 2");
  await alter("update audit_log set reason = 'another' where seq = 2");
  await expect(check()).rejects.toThrow("does not hold from row 2 on");
  await own.database.query("alter table audit_log disable trigger user");
  await own.database.query("update audit_log set reason = $1 where seq = 2", [row?.reason ?? null]);
  const grown = await check(kept);
  await alter("delete from audit_log where seq > 1");
  await using restarted = await startAuth({ postgres: own.postgres, config: own.config });
  const query = `?head=${encodeURIComponent(grown)}`;
  const answer = await restarted.send("POST", `/api/auth/audit/check${query}`, { token });
  expect(await answer.json()).toMatchObject({ intact: false, brokenAt: null, follows: false });
});

test("bun run users makes people who can sign in, changes their roles, disables and resets them", async () => {
  const made = await run<ListedUser & { readonly password: string }>("users", "create", "Anna", "--role", "operator");
  const signIn = (password: string) => auth.json("/api/auth/login", { name: "anna", password });
  expect((await signIn(made.password)).status).toBe(200);
  expect(await run<ListedUser>("users", "role", "anna", "viewer")).toMatchObject({ role: "viewer" });
  expect(await run<ListedUser>("users", "disable", "anna")).toMatchObject({ disabled: true });
  expect((await signIn(made.password)).status).toBe(401);
  await run("users", "enable", "anna");
  const { password } = await run<{ readonly password: string }>("users", "reset", "anna");
  expect([(await signIn(made.password)).status, (await signIn(password)).status]).toEqual([401, 200]);
  expect((await run<readonly ListedUser[]>("users", "list")).map(({ name }) => name)).toContain("Anna");
});
