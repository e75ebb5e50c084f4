import { expect, test } from "bun:test";
import { createLifecycle } from "@vitrine/kit/lifecycle";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { basic, readToken, startAuth, testSecrets } from "./testing/start-auth.ts";

const credentials = { grant_type: "client_credentials" };

test("without its database the service answers 503 with Retry-After, is not ready, still publishes its keys and recovers", async () => {
  const postgres = await startPostgres({ ownServer: true });
  const lifecycle = createLifecycle({ logger: memoryLogger().logger });
  await using auth = await startAuth({ postgres, readiness: lifecycle.readiness });
  lifecycle.check("postgres", () => auth.database.ping());
  const orders = basic("orders", testSecrets.orders);
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
  expect((await auth.app.request("/.well-known/jwks.json")).status).toBe(200);
  expect(await auth.verifier.verify(access_token)).toMatchObject({ sub: "orders" });
  expect((await auth.app.request("/health/ready")).status).toBe(503);
  expect((await auth.app.request("/health/live")).status).toBe(200);

  await postgres.startServer();
  expect((await auth.token(credentials, orders)).status).toBe(200);
  expect((await auth.json("/api/auth/login", { name: "somebody", password: "whatever" })).status).toBe(401);
  expect((await auth.app.request("/health/ready")).status).toBe(200);
});
