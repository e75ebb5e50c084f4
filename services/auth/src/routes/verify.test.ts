import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { clientToken, personToken } from "../testing/person-token.ts";
import { quickPasswords, startAuth, type TestAuth } from "../testing/start-auth.ts";

const preset = makeIngestKey();
let auth: TestAuth;

beforeAll(async () => {
  const keys = [{ name: "edge", key: preset.key, scopes: ["logs:write"], service: "edge" }];
  auth = await startAuth({ passwordFunction: quickPasswords, env: { INGEST_KEYS: JSON.stringify(keys) } });
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

test("a key that nobody was given is 401 however long nothing has been taken back", async () => {
  let nowMs = Date.now();
  await using quiet = await startAuth({ passwordFunction: quickPasswords, now: () => nowMs });
  nowMs += 3_600_000;
  const headers = { authorization: `Bearer ${makeIngestKey().key}` };
  expect((await quiet.app.request("/api/auth/verify", { headers })).status).toBe(401);
});

describe("the session of a browser", () => {
  const person = { name: "Somebody", password: "an orchid in the window" };
  const own = { "sec-fetch-site": "same-origin" };
  let cookie = "";

  beforeAll(async () => {
    await auth.json("/api/auth/register", person);
    const answer = await auth.json("/api/auth/login", { ...person, session: "cookie" });
    cookie = /^[^;]+/.exec(answer.headers.get("set-cookie") ?? "")?.[0] ?? "";
  });

  test("is told as the person it belongs to, with what the role may", async () => {
    const response = await verify("?scope=orders:read", undefined, { ...own, cookie });
    expect(response.status).toBe(200);
    expect(identity(response)).toMatchObject({
      "x-auth-subject": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "x-auth-client": "vitrine",
      "x-auth-scope": expect.stringContaining("orders:read"),
      "x-auth-role": "viewer",
      "x-auth-token-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect((await verify("?scope=users:admin", undefined, { ...own, cookie })).status).toBe(403);
  });

  test.each([
    ["a page of our own", own, 200],
    ["what is no browser", {}, 200],
    ["an address that was typed", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, 200],
    ["another site", { "sec-fetch-site": "cross-site" }, 403],
    ["a sibling host", { "sec-fetch-site": "same-site" }, 403],
    ["another site in a browser that says its origin alone", { origin: "https://evil.example" }, 403],
    [
      "a link on another site",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "x-forwarded-method": "GET" },
      200,
    ],
    [
      "a form on another site",
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "x-forwarded-method": "POST" },
      403,
    ],
    [
      "another site by a proxy that does not say how",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      403,
    ],
  ])("is open to our own pages: %s", async (_, headers, status) => {
    expect((await verify("", undefined, { ...headers, cookie })).status).toBe(status);
  });

  test("does not take the place of a token, and a token takes its place", async () => {
    const bad = await verify("", "no.good.token", { ...own, cookie });
    expect(bad.status).toBe(401);
    const good = await verify("", await clientToken(auth, "orders"), { "sec-fetch-site": "cross-site", cookie });
    expect(identity(good)).toMatchObject({ "x-auth-subject": "orders" });
  });

  test("is refused at once when it is over, and when nobody was given it", async () => {
    const answer = await auth.json("/api/auth/login", { ...person, session: "cookie" });
    const ended = /^[^;]+/.exec(answer.headers.get("set-cookie") ?? "")?.[0] ?? "";
    expect((await verify("", undefined, { ...own, cookie: ended })).status).toBe(200);
    expect((await auth.send("POST", "/api/auth/logout", { cookie: ended, headers: own })).status).toBe(204);
    for (const gone of [ended, `__Host-vitrine_session=${"A".repeat(43)}`, "__Host-vitrine_session=x"]) {
      const refused = await verify("", undefined, { ...own, cookie: gone });
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
      expect(identity(refused)).toEqual({});
    }
  });
});
