import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createdIngestKey } from "@vitrine/contracts/ingest-keys";
import { introspection } from "@vitrine/contracts/oauth";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { clientToken, personToken } from "../testing/person-token.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

let auth: TestAuth;
let nowMs = Date.now();

beforeAll(async () => {
  auth = await startAuth({ now: () => nowMs });
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

const orders = basic("orders", testSecrets.orders);

async function ask(
  path: "introspect" | "revoke",
  form: Readonly<Record<string, string>>,
  authorization = orders,
  at = auth,
) {
  return at.app.request(`/oauth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", authorization },
    body: new URLSearchParams(form).toString(),
  });
}

async function state(token: string, at = auth) {
  const response = await ask("introspect", { token }, orders, at);
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  return introspection.parse(await response.json());
}

async function makeKey(expiresAt?: string) {
  const response = await auth.app.request("/api/auth/ingest-keys", {
    method: "POST",
    headers: { authorization: `Bearer ${await personToken(auth, "operator")}`, "content-type": "application/json" },
    body: JSON.stringify({
      name: `shop-${crypto.randomUUID().slice(0, 8)}`,
      scopes: ["logs:write"],
      servicePrefix: "shop-",
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  });
  return createdIngestKey.parse(await response.json());
}

/** Everything that is no good token, whatever kind it claims to be. */
async function badTokens(): Promise<readonly string[]> {
  const good = await clientToken(auth, "orders");
  const { key } = await makeKey();
  return ["x", "a.b.c", `${good}A`, good.slice(0, -2), `${key}x`, "vik_", "\u0000", "ü", "x".repeat(20_000)];
}

describe("introspection (RFC 7662)", () => {
  test("of a service's token it tells the claims", async () => {
    expect(await state(await clientToken(auth, "orders"))).toMatchObject({
      active: true,
      token_type: "Bearer",
      sub: "orders",
      client_id: "orders",
      service: "orders",
      scope: "telemetry:write inventory:read inventory:write",
      exp: expect.any(Number),
    });
  });

  test("of a person's token it tells the role and who acts", async () => {
    expect(await state(await personToken(auth, "operator"))).toMatchObject({ role: "operator", act: { sub: "cli" } });
  });

  test("of an ingest key it tells what it may write, and an end only where it has one", async () => {
    const endless = await makeKey();
    const active = await state(endless.key);
    expect(active).toMatchObject({ token_type: "ingest_key", jti: endless.id, service_prefix: "shop-" });
    expect(active).not.toContainAnyKeys(["exp", "iat"]);
    expect(await state((await makeKey("2990-01-01T00:00:00Z")).key)).toMatchObject({
      exp: Date.parse("2990-01-01T00:00:00Z") / 1_000,
    });
  });

  test("of anything else it tells only that it is not active", async () => {
    for (const token of await badTokens()) expect(await state(token)).toEqual({ active: false });
    const token = await clientToken(auth, "orders");
    nowMs += 1_000_000;
    expect(await state(token)).toEqual({ active: false });
  });

  test("a token is not active from the second it expires in, though verifiers allow for clocks that differ", async () => {
    const token = await clientToken(auth, "orders");
    const { exp } = await auth.verifier.verify(token);
    nowMs = exp * 1_000 - 1;
    expect(await state(token)).toMatchObject({ active: true });
    nowMs += 1;
    expect(await state(token)).toEqual({ active: false });
    await expect(auth.verifier.verify(token)).resolves.toMatchObject({ exp });
  });

  test("it answers nobody who does not prove to be a client, and wants a token", async () => {
    const token = await clientToken(auth, "orders");
    for (const authorization of [basic("orders", "wrong"), basic("nobody", testSecrets.orders), `Bearer ${token}`]) {
      const response = await ask("introspect", { token }, authorization);
      expect([response.status, await response.json()]).toMatchObject([401, { error: "invalid_client" }]);
    }
    const none = await ask("introspect", {});
    expect([none.status, await none.json()]).toMatchObject([400, { error: "invalid_request" }]);
    const got = await auth.app.request("/oauth/introspect?token=x", { headers: { authorization: orders } });
    expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("revocation (RFC 7009)", () => {
  test("a client ends its own token, here and in every other process at once", async () => {
    await using other = await startAuth({ postgres: auth.postgres, config: auth.config, now: () => nowMs });
    const token = await clientToken(auth, "orders");
    const kept = await clientToken(auth, "orders");
    const response = await ask("revoke", { token, token_type_hint: "access_token" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect([await state(token), await state(token, other)]).toEqual([{ active: false }, { active: false }]);
    expect(await state(kept)).toMatchObject({ active: true });
    await expect(auth.verifier.verify(token)).rejects.toMatchObject({ reason: "revoked" });
    expect((await ask("revoke", { token })).status).toBe(200);
  });

  test("what is no token, what belongs to another and what is a key answer 200 and change nothing", async () => {
    for (const token of await badTokens()) expect((await ask("revoke", { token })).status).toBe(200);
    const others = await clientToken(auth, "gateway");
    const { key } = await makeKey();
    for (const token of [others, key]) {
      expect((await ask("revoke", { token })).status).toBe(200);
      expect(await state(token)).toMatchObject({ active: true });
    }
    const [row] = await auth.database.query("select * from audit_log where action = 'token_revoke' order by seq desc");
    expect(row).toMatchObject({ event: "authz_fail", actor: "orders", reason: "token_of_another" });
  });

  test("whoever holds a refresh token ends its session by it, with all tokens of it, by one that was used as well", async () => {
    const person = { name: `person-${crypto.randomUUID()}`, password: "an orchid in the window" };
    await auth.json("/api/auth/register", person);
    const signIn = async () => readToken(await auth.json("/api/auth/login", person));
    const refresh = (refresh_token = "") => auth.json("/api/auth/refresh", { refresh_token });
    const revoke = (token = "") =>
      auth.app.request("/oauth/revoke", {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token, token_type_hint: "refresh_token" }).toString(),
      });
    const [newest, used, other] = [await signIn(), await signIn(), await signIn()];
    const successor = await readToken(await refresh(used.refresh_token));
    for (const token of [newest.refresh_token, used.refresh_token, `vrt_${"A".repeat(43)}`, "vrt_", "vrt_\u0000"]) {
      const response = await revoke(token);
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    for (const { access_token } of [newest, used, successor]) expect((await auth.me(access_token)).status).toBe(401);
    for (const { refresh_token } of [newest, successor]) expect((await refresh(refresh_token)).status).toBe(401);
    expect((await refresh(other.refresh_token)).status).toBe(200);
    const rows = await auth.database.query(
      "select outcome from audit_log where event = 'session_logout' and actor = (select id::text from users where name = $1)",
      [person.name],
    );
    expect(rows).toEqual([{ outcome: "success" }, { outcome: "success" }]);
  });

  test("nobody revokes without proving to be a client", async () => {
    const token = await clientToken(auth, "orders");
    expect((await ask("revoke", { token }, basic("orders", "wrong"))).status).toBe(401);
    expect((await ask("revoke", {})).status).toBe(400);
    expect(await state(token)).toMatchObject({ active: true });
  });
});

test("while the database is away nothing is called active or revoked: 503 with Retry-After", async () => {
  const postgres = await startPostgres({ ownServer: true });
  await using own = await startAuth({ postgres });
  const token = await clientToken(own, "orders");
  await postgres.stopServer();
  for (const path of ["introspect", "revoke"] as const) {
    const response = await ask(path, { token }, orders, own);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  }
  await postgres.startServer();
  expect(await state(token, own)).toMatchObject({ active: true });
}, 60_000);
