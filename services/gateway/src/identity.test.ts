import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createLifecycle } from "@vitrine/kit/lifecycle";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { until } from "@vitrine/kit/testing/eventually";
import { createIdentity } from "./identity.ts";
import { type FakeAuth, startFakeAuth } from "./testing/fake-auth.ts";
import { type Gateway, readStatus, startGateway } from "./testing/harness.ts";

let issuer: TestIssuer;
let auth: FakeAuth;
let gateway: Gateway;
const { logger, lines } = memoryLogger("gateway");
const lifecycle = createLifecycle({ logger });

beforeAll(async () => {
  issuer = await createTestIssuer();
  auth = startFakeAuth(issuer);
  const { issuer: name, audience } = issuer;
  const verifier = createIdentity({
    tokens: { jwksUrl: `${auth.url}/jwks`, tokenUrl: `${auth.url}/oauth/token`, issuer: name, audience },
    feed: { url: `${auth.url}/api/auth/feed`, clientId: "gateway", clientSecret: "12345678" },
    logger,
    lifecycle,
  });
  gateway = await startGateway({ verifier });
  await until(() => !lifecycle.readiness.isStarting());
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([auth.stop(), lifecycle.stop()]);
});

async function post(token: string, headers: Record<string, string> = {}, path = "/v1/logs"): Promise<Response> {
  return await fetch(`${gateway.url}${path}`, {
    method: "POST",
    body: '{"streams":[{"stream":{},"values":[]}]}',
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
  });
}

const stamped = () => {
  const headers = gateway.seen.at(-1)?.headers;
  return [headers?.get("x-client-id"), headers?.get("x-client-service")];
};

describe("an ingest key", () => {
  test("is good for its scopes, on every ingest route, without asking anybody", async () => {
    const { key } = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
    await until(async () => (await post(key)).status === 200);
    expect(stamped()).toEqual(["key:shop", "shop"]);
    expect((await post(key, {}, "/loki/api/v1/push")).status).toBe(200 + 4);
    expect((await post(key, {}, "/v1/traces")).status).toBe(403);
    const read = await fetch(`${gateway.url}/loki/api/v1/labels`, { headers: { authorization: `Bearer ${key}` } });
    expect(read.status).toBe(403);
  });

  test("for one service speaks for that one, whatever the client says", async () => {
    const { key } = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
    await until(async () => (await post(key, { "x-service-name": "bank" })).status === 200);
    expect(stamped()).toEqual(["key:shop", "shop"]);
    await post(await issuer.sign("logs:write", { service: "orders" }), { "x-service-name": "bank" });
    expect(stamped()).toEqual(["test-client", "orders"]);
  });

  test("for a prefix speaks for what is below it, and for nothing else", async () => {
    const { key } = auth.issueKey({ scopes: ["logs:write"], servicePrefix: "shop-" });
    await until(async () => (await post(key)).status === 200);
    expect(stamped()).toEqual(["key:shop", "shop"]);
    expect((await post(key, { "x-service-name": "shop-cart" })).status).toBe(200);
    expect(stamped()).toEqual(["key:shop", "shop-cart"]);
    const reached = gateway.seen.length;
    for (const name of ["shop-", "shop", "bank", "Shop-cart", "shop-a b", "shop-a,shop-b", "shop-é", "x-shop-a"]) {
      const response = await post(key, { "x-service-name": name });
      expect([name, response.status]).toEqual([name, 403]);
      expect((await readStatus(response)).code).toBe(7);
    }
    expect(gateway.refusals.at(-1)).toMatchObject({ reason: "service_not_allowed", clientId: "key:shop" });
    expect(gateway.seen.length).toBe(reached);
  });

  test("that is no key, or altered, or expired, or revoked is 401 with its reason", async () => {
    const { key, id } = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
    const expired = auth.issueKey({ scopes: ["logs:write"], service: "shop", expiresAtMs: Date.now() - 1 });
    await until(async () => (await post(key)).status === 200);
    const last = key.at(-1) === "0" ? "1" : "0";
    for (const [bad, reason] of [
      ["vik_", "malformed_token"],
      [key.slice(0, -1) + last, "malformed_token"],
      [key.toUpperCase(), "malformed_token"],
      [expired.key, "expired"],
    ] as const) {
      const response = await post(bad);
      expect([response.status, gateway.refusals.at(-1)?.reason]).toEqual([401, reason]);
      expect(await response.text()).not.toContain("vik_");
    }
    auth.revoke("ingest_key", id);
    await until(async () => (await post(key)).status === 401);
    expect(gateway.refusals.at(-1)).toMatchObject({ reason: "revoked" });
  });
});

describe("a token that is taken back", () => {
  test.each([
    ["jti", "token-1", { jti: "token-1" }],
    ["session", "session-1", { sid: "session-1" }],
    ["user", "anna-1", { sub: "anna-1" }],
    ["client", "client-1", { client_id: "client-1" }],
  ] as const)("by its %s is refused, known or not", async (kind, id, claims) => {
    const past = { iat: Math.floor(Date.now() / 1_000) - 10 };
    const [known, unseen] = [
      await issuer.sign("logs:write", { ...claims, ...past }),
      await issuer.sign("logs:write", { ...claims, ...past }),
    ];
    expect((await post(known)).status).toBe(200);
    auth.revoke(kind, id);
    await until(async () => (await post(known)).status === 401);
    expect((await post(unseen)).status).toBe(401);
    expect(gateway.refusals.at(-1)).toMatchObject({ reason: "revoked" });
    expect((await post(await issuer.sign("logs:write"))).status).toBe(200);
  });
});

test("while auth is away good tokens and keys go on, revoked ones stay out, and a key never seen is 503", async () => {
  const good = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
  const bad = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
  const token = await issuer.sign("logs:write", { jti: "taken-back" });
  await until(async () => (await post(bad.key)).status === 200);
  auth.revoke("ingest_key", bad.id);
  auth.revoke("jti", "taken-back");
  await until(async () => (await post(token)).status === 401);
  lines.length = 0;
  auth.down = true;
  auth.revoke("jti", "wakes-the-feed");
  await until(() => lines.some(({ action }) => action === "gateway.feed_lost"));
  expect((await post(good.key)).status).toBe(200);
  expect((await post(await issuer.sign("logs:write"))).status).toBe(200);
  expect([(await post(bad.key)).status, (await post(token)).status]).toEqual([401, 401]);
  expect(lines.filter(({ action }) => action === "gateway.feed_lost")).toHaveLength(1);
  auth.down = false;
  const fresh = auth.issueKey({ scopes: ["logs:write"], service: "shop" });
  await until(async () => (await post(fresh.key)).status === 200);
});

test("a gateway that cannot reach the feed takes nothing, and says what it waits for", async () => {
  const waiting = createLifecycle({ logger });
  createIdentity({
    tokens: {
      jwksUrl: `${auth.url}/jwks`,
      tokenUrl: `${auth.url}/oauth/token`,
      issuer: issuer.issuer,
      audience: issuer.audience,
    },
    feed: { url: "http://127.0.0.1:1/api/auth/feed", clientId: "gateway", clientSecret: "12345678" },
    logger,
    lifecycle: waiting,
  });
  await until(async () => (await waiting.readiness.report()).checks["keys"] === undefined);
  expect(waiting.readiness.isStarting()).toBe(true);
  expect((await waiting.readiness.report()).ready).toBe(false);
  await waiting.stop();
});
