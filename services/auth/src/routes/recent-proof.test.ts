import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { enrolment } from "@vitrine/contracts/people";
import { buildDocument } from "@vitrine/kit/openapi";
import { createFuzz } from "@vitrine/kit/testing/fuzz";
import { listOperations, type Listed, makeRequest } from "@vitrine/kit/testing/openapi";
import { authDocument } from "../openapi/document.ts";
import { personToken } from "../testing/person-token.ts";
import { quickPasswords, readToken, startAuth, type TestAuth } from "../testing/start-auth.ts";
import { stepAt, totpCode } from "../totp.ts";

const password = "an orchid in the window";
const maxAgeMs = 300_000;
let clockMs = Math.floor(Date.now() / 30_000) * 30_000;
let auth: TestAuth;

/** What only reads, or only takes back: a proof before it would help the thief. */
const withoutProof = new Set(["POST /api/auth/audit/check", "DELETE /api/auth/ingest-keys/{id}"]);

const administrative = listOperations(buildDocument(authDocument("http://localhost:8080"))).filter(
  ([name, { method, operation }]) =>
    method !== "GET" && !withoutProof.has(name) && JSON.stringify(operation.security).includes(":admin"),
);

beforeAll(async () => {
  auth = await startAuth({ now: () => clockMs, passwordFunction: quickPasswords });
});

afterAll(() => auth[Symbol.asyncDispose]());

/** A new administrator, signed in at this moment. */
async function administrator(): Promise<string> {
  const name = `admin-${crypto.randomUUID()}`;
  await auth.json("/api/auth/register", { name, password });
  await auth.database.query("update users set role = 'admin' where name = $1", [name]);
  return (await readToken(await auth.json("/api/auth/login", { name, password }))).access_token;
}

async function ask(one: Listed, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return auth.app.request(makeRequest(one, createFuzz(7), { fit: true, headers }));
}

async function stepUp(token: string, code?: string): Promise<number> {
  const body = code === undefined ? { password } : { password, code };
  return (await auth.send("POST", "/api/auth/step-up", { token, body })).status;
}

async function secondFactor(token: string): Promise<Uint8Array> {
  const begun = enrolment.parse(await (await auth.send("POST", "/api/auth/second-factor", { token })).json());
  const bits = Array.from(begun.secret, (one) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"),
  ).join("");
  const seed = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  const body = { code: totpCode(seed, stepAt(clockMs)) };
  expect((await auth.send("POST", "/api/auth/second-factor/confirm", { token, body })).status).toBe(200);
  return seed;
}

test("there are routes to look at", () => {
  expect(administrative.map(([name]) => name).toSorted((one, other) => one.localeCompare(other))).toEqual([
    "PATCH /api/auth/users/{id}",
    "POST /api/auth/ingest-keys",
    "POST /api/auth/signing-keys",
    "POST /api/auth/users",
    "POST /api/auth/users/{id}/password",
  ]);
});

describe.each(administrative)("%s", (_, one) => {
  test("wants of a session a proof of the last five minutes, and does nothing without it", async () => {
    const token = await administrator();
    clockMs += maxAgeMs;
    expect((await ask(one, token)).status).not.toBe(401);
    clockMs += 1;
    const before = await auth.database.query("select count(*) from audit_log where outcome = 'success'");
    const refused = await ask(one, token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe(
      'Bearer error="insufficient_user_authentication", max_age=300',
    );
    expect(await refused.json()).toMatchObject({ code: "step_up_required" });
    expect(await auth.database.query("select count(*) from audit_log where outcome = 'success'")).toEqual(before);
    expect(await stepUp(token)).toBe(204);
    expect((await ask(one, token)).status).not.toBe(401);
  });

  test("wants the second factor with it where one is active", async () => {
    const token = await administrator();
    const seed = await secondFactor(token);
    expect((await ask(one, token)).status).not.toBe(401);
    clockMs += maxAgeMs + 1;
    expect(await stepUp(token)).toBe(401);
    expect((await ask(one, token)).status).toBe(401);
    expect(await stepUp(token, totpCode(seed, stepAt(clockMs)))).toBe(204);
    expect((await ask(one, token)).status).not.toBe(401);
  });

  test("asks no more of a client that acts for an administrator: it has no session", async () => {
    const token = await personToken(auth, "admin");
    clockMs += maxAgeMs + 1;
    expect((await ask(one, token)).status).not.toBe(401);
  });
});

test("a key is taken back without a fresh proof", async () => {
  const token = await administrator();
  const body = { name: "shop", scopes: ["logs:write"], service: "shop" };
  const made = await auth.send("POST", "/api/auth/ingest-keys", { token, body });
  const { id } = (await made.json()) as { readonly id: string };
  clockMs += maxAgeMs + 1;
  expect((await auth.send("DELETE", `/api/auth/ingest-keys/${id}`, { token })).status).toBe(204);
});
