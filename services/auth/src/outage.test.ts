import { afterAll, expect, test } from "bun:test";
import { createLifecycle } from "@vitrine/kit/lifecycle";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startTestTelemetry } from "@vitrine/kit/testing/telemetry";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { verifyChain } from "./audit-chain.ts";
import { basic, readToken, startAuth, testSecrets } from "./testing/start-auth.ts";

const telemetry = startTestTelemetry();

afterAll(() => telemetry.stop());

const credentials = { grant_type: "client_credentials" };

test("without its database the service answers 503 with Retry-After, is not ready, still publishes its keys and recovers", async () => {
  const postgres = await startPostgres({ ownServer: true });
  const lifecycle = createLifecycle({ logger: memoryLogger().logger });
  await using auth = await startAuth({ postgres, readiness: lifecycle.readiness });
  lifecycle.check("postgres", () => auth.database.ping());
  const orders = basic("orders", testSecrets.orders);
  const person = { name: "known", password: "an orchid in the window" };
  await auth.json("/api/auth/register", person);
  const session = await readToken(await auth.json("/api/auth/login", person));
  const { access_token } = await readToken(await auth.token(credentials, orders));
  expect((await auth.app.request("/health/ready")).status).toBe(200);

  await postgres.stopServer();
  const login = await auth.json("/api/auth/login", { name: "somebody", password: "whatever" });
  expect([login.status, login.headers.get("retry-after")]).toEqual([503, "2"]);
  const register = await auth.json("/api/auth/register", { name: "somebody", password: "an orchid in the window" });
  expect([register.status, register.headers.get("retry-after")]).toEqual([503, "2"]);
  const token = await auth.token(credentials, orders);
  expect([token.status, token.headers.get("retry-after"), token.headers.get("cache-control")]).toEqual([
    503,
    "2",
    "no-store",
  ]);
  expect(await token.json()).toEqual({ error: "temporarily_unavailable" });
  const own = { token: session.access_token };
  const others = await Promise.all([
    auth.send("POST", "/api/auth/refresh", { body: { refresh_token: session.refresh_token } }),
    auth.token({ grant_type: "refresh_token", refresh_token: session.refresh_token ?? "" }),
    auth.send("GET", "/api/auth/sessions", own),
    auth.send("POST", "/api/auth/logout", own),
    auth.send("POST", "/api/auth/session/token", { cookie: `__Host-vitrine_session=${"A".repeat(43)}` }),
    auth.send("POST", "/api/auth/password", {
      ...own,
      body: { currentPassword: person.password, newPassword: "a lily on the water" },
    }),
    auth.send("POST", "/api/auth/login/totp", { body: { challenge: "A".repeat(43), code: "000000" } }),
    auth.send("POST", "/api/auth/second-factor", own),
    auth.send("POST", "/api/auth/step-up", { ...own, body: { password: person.password } }),
  ]);
  for (const answer of others) expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
  expect((await auth.app.request("/.well-known/jwks.json")).status).toBe(200);
  expect(await auth.verifier.verify(access_token)).toMatchObject({ sub: "orders" });
  expect((await auth.app.request("/health/ready")).status).toBe(503);
  expect((await auth.app.request("/health/live")).status).toBe(200);
  // What could not be written to the audit log is counted.
  const attempts = await telemetry.points("auth.attempts");
  const unjudged = attempts.filter(({ attributes }) => attributes["auth.failure_reason"] === "unavailable");
  const counts = unjudged.map(({ attributes, value }) => [attributes["auth.method"], value]);
  expect(Object.fromEntries(counts)).toEqual({
    password: 1,
    registration: 1,
    client_credentials: 1,
    refresh_token: 2,
    session_cookie: 1,
    totp: 1,
  });

  await postgres.startServer();
  expect((await auth.token(credentials, orders)).status).toBe(200);
  expect((await auth.json("/api/auth/login", { name: "somebody", password: "whatever" })).status).toBe(401);
  expect((await auth.app.request("/health/ready")).status).toBe(200);
  // What was tried in between used nothing up: the refresh token is still good for its one use.
  const renewed = await auth.send("POST", "/api/auth/refresh", { body: { refresh_token: session.refresh_token } });
  expect(renewed.status).toBe(200);
  expect(await verifyChain(auth.database)).toMatchObject({ brokenAt: undefined });
});
