import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { clientToken, personToken } from "../testing/person-token.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

const preset = makeIngestKey();
let auth: TestAuth;

beforeAll(async () => {
  const keys = [{ name: "edge", key: preset.key, scopes: ["logs:write"], service: "edge" }];
  auth = await startAuth({ env: { INGEST_KEYS: JSON.stringify(keys) } });
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

async function verify(query: string, token?: string, headers: Readonly<Record<string, string>> = {}) {
  return auth.app.request(`/api/auth/verify${query}`, {
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
  });
}

function identity(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("x-auth-")));
}

test("a service is told by subject, client, scopes and service; every header is there, empty where it says nothing", async () => {
  const response = await verify("", await clientToken(auth, "orders"));
  expect([response.status, await response.text(), response.headers.get("cache-control")]).toEqual([
    200,
    "",
    "no-store",
  ]);
  expect(identity(response)).toEqual({
    "x-auth-subject": "orders",
    "x-auth-client": "orders",
    "x-auth-scope": "telemetry:write inventory:read inventory:write",
    "x-auth-role": "",
    "x-auth-service": "orders",
    "x-auth-service-prefix": "",
    "x-auth-token-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    "x-auth-actor": "",
  });
});

test("a person is told by role, and by the client that acts for it", async () => {
  const response = await verify("", await personToken(auth, "viewer"));
  expect(identity(response)).toMatchObject({ "x-auth-role": "viewer", "x-auth-actor": "cli" });
});

test("an ingest key is a way in where its scope is asked for", async () => {
  const response = await verify("?scope=logs:write", preset.key);
  expect(identity(response)).toMatchObject({ "x-auth-client": "key:edge", "x-auth-service": "edge" });
  expect((await verify("?scope=telemetry:read", preset.key)).status).toBe(403);
});

test.each([
  ["?scope=inventory:read", 200],
  ["?scope=inventory:read+inventory:write", 200],
  ["?scope=inventory:read%20telemetry:read", 403],
  ["?scope=telemetry:read&scope=telemetry:write", 200],
  ["?scope=telemetry:read&scope=orders:read", 403],
  ["?scope=", 400],
  ["?scope=inventory", 400],
  ["?scope=nonsense:read&scope=inventory:read", 400],
])("all scopes of one parameter are needed, of several parameters one will do: %s is %i", async (query, status) => {
  const response = await verify(query, await clientToken(auth, "orders"));
  expect(response.status).toBe(status);
  if (status !== 200) expect(identity(response)).toEqual({});
  if (status === 403) expect(response.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
});

test("without a token, with one that is no good, or with one elsewhere than in the header it is 401 with a challenge", async () => {
  const token = await clientToken(auth, "orders");
  const spoofed = { "x-auth-subject": "admin", "x-forwarded-uri": "/health", cookie: `token=${token}` };
  for (const response of [
    await verify(""),
    await verify("", undefined, spoofed),
    await verify(`?access_token=${token}`),
    await verify("", `${token}x`),
    await verify("", `${preset.key}x`),
    await verify("", makeIngestKey().key),
  ]) {
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
    expect(identity(response)).toEqual({});
  }
});
