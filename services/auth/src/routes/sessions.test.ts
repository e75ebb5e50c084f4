import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { user } from "@vitrine/contracts/auth";
import { cookieSession, type Session, sessionList } from "@vitrine/contracts/people";
import { grantTypes, userNameTokenType } from "@vitrine/contracts/auth";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

const password = "an orchid in the window";
const minuteMs = 60_000;
let auth: TestAuth;
let clockMs = Date.now();
let people = 0;

beforeAll(async () => {
  auth = await startAuth({
    now: () => clockMs,
    env: { SESSION_IDLE_MINUTES: "60", SESSION_MAX_MINUTES: "150", DEMO: "on" },
  });
});

afterAll(() => auth[Symbol.asyncDispose]());

async function signedUp() {
  people += 1;
  const name = `Person-${people}`;
  return user.parse(await (await auth.json("/api/auth/register", { name, password })).json());
}

async function signIn(name: string, given = password) {
  const token = await readToken(await auth.json("/api/auth/login", { name, password: given }));
  return { access: token.access_token, refresh: token.refresh_token ?? "" };
}

const refresh = (refresh_token: string) => auth.send("POST", "/api/auth/refresh", { body: { refresh_token } });

async function renewed(refresh_token: string) {
  const token = await readToken(await refresh(refresh_token));
  return { access: token.access_token, refresh: token.refresh_token ?? "" };
}

async function sessionsOf(token: string): Promise<readonly Session[]> {
  return sessionList.parse(await (await auth.send("GET", "/api/auth/sessions", { token })).json()).items;
}

async function statusOfMe(token: string): Promise<number> {
  return (await auth.me(token)).status;
}

async function eventsOf(userId: string): Promise<readonly string[]> {
  const rows = await auth.database.query<{ event: string }>(
    "select event from audit_log where actor = $1 order by seq",
    [userId],
  );
  return rows.map(({ event }) => event);
}

describe("refresh tokens", () => {
  test("are opaque, and stored as hashes only", async () => {
    const { name } = await signedUp();
    const { refresh: token } = await signIn(name);
    expect(token).toMatch(/^vrt_[A-Za-z0-9_-]{43}$/);
    const dump = JSON.stringify(await auth.database.query("select * from refresh_tokens"));
    expect(dump).not.toContain(token.slice(4));
    expect(JSON.stringify(auth.lines)).not.toContain(token.slice(4));
  });

  test("give a new access token of the same session and a new refresh token with each use", async () => {
    const { name, id } = await signedUp();
    const first = await signIn(name);
    const second = await renewed(first.refresh);
    const third = await renewed(second.refresh);
    expect(new Set([first.refresh, second.refresh, third.refresh]).size).toBe(3);
    const sids = await Promise.all([first, third].map(async ({ access }) => (await auth.verifier.verify(access)).sid));
    expect(sids[0]).toBe(sids[1] ?? "none");
    expect(await auth.verifier.verify(third.access)).toMatchObject({ sub: id, role: "viewer" });
    expect(
      (await auth.send("POST", "/api/auth/refresh", { body: { refresh_token: third.refresh } })).headers.get(
        "cache-control",
      ),
    ).toBe("no-store");
  });

  test("used twice end the session, its newest refresh token and its access tokens, as a critical event", async () => {
    const { name, id } = await signedUp();
    const other = await signIn(name);
    const first = await signIn(name);
    const second = await renewed(first.refresh);
    expect((await refresh(first.refresh)).status).toBe(401);
    expect((await refresh(second.refresh)).status).toBe(401);
    expect(await statusOfMe(second.access)).toBe(401);
    expect(await statusOfMe(other.access)).toBe(200);
    expect(await eventsOf(id)).toContain("authn_token_reuse");
    expect(auth.lines.find(({ action, user }) => action === "authn_token_reuse" && user === id)).toMatchObject({
      level: "error",
      extra: { reason: "token_reuse" },
    });
  });

  test("used many times at once give one successor, and the session is over", async () => {
    const { name } = await signedUp();
    const { refresh: token, access } = await signIn(name);
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
    const winner = answers.find(({ status }) => status === 200);
    const successor = winner === undefined ? undefined : (await readToken(winner)).refresh_token;
    expect((await refresh(successor ?? "")).status).toBe(401);
    expect(await statusOfMe(access)).toBe(401);
  });

  test("that nobody gave out are answered like those that are over", async () => {
    const { name } = await signedUp();
    const { refresh: token, access } = await signIn(name);
    expect((await auth.send("POST", "/api/auth/logout", { token: access })).status).toBe(204);
    const answers = [await refresh(token), await refresh(`vrt_${"A".repeat(43)}`), await refresh("anything")];
    const bodies = await Promise.all(
      answers.map(async (answer) => (await answer.text()).replaceAll(/"(requestId|instance)":"[^"]*"/g, `"$1":""`)),
    );
    expect(new Set(bodies).size).toBe(1);
    expect(JSON.parse(bodies[0] ?? "")).toMatchObject({ status: 401, code: "invalid_token" });
  });

  test("are not used up by a request for scopes that may not be had", async () => {
    const { name } = await signedUp();
    const { refresh: token } = await signIn(name);
    for (const scope of ["users:admin", "orders:read made:up"]) {
      const refused = await auth.token({ grant_type: "refresh_token", refresh_token: token, scope });
      expect([refused.status, await refused.json()]).toMatchObject([400, { error: "invalid_scope" }]);
    }
    expect((await refresh(token)).status).toBe(200);
  });

  test("are taken at the token endpoint as well, for fewer scopes if wanted, and refused there as OAuth says", async () => {
    const { name } = await signedUp();
    const { refresh: token } = await signIn(name);
    const answer = await auth.token({ grant_type: "refresh_token", refresh_token: token, scope: "orders:read" });
    const second = await readToken(answer);
    expect(second).toMatchObject({ scope: "orders:read", token_type: "Bearer" });
    expect(second.refresh_token).toMatch(/^vrt_/);
    const again = await auth.token({ grant_type: "refresh_token", refresh_token: token });
    expect([again.status, await again.json()]).toEqual([400, expect.objectContaining({ error: "invalid_grant" })]);
    const foreign = { grant_type: "refresh_token", refresh_token: token, client_id: "orders" };
    expect(await (await auth.token(foreign)).json()).toMatchObject({ error: "invalid_grant" });
    expect(await (await auth.token({ grant_type: "refresh_token" })).json()).toMatchObject({
      error: "invalid_request",
    });
  });
});

describe("the end of a session", () => {
  test("comes when nobody used it for its idle time", async () => {
    const { name, id } = await signedUp();
    const { refresh: token } = await signIn(name);
    clockMs += 59 * minuteMs;
    const second = await renewed(token);
    clockMs += 60 * minuteMs;
    expect((await refresh(second.refresh)).status).toBe(401);
    expect(await eventsOf(id)).toContain("session_use_after_expire");
  });

  test("for want of use is the end of its access tokens, of a browser's too, and who goes on using it goes on", async () => {
    let nowMs = Date.now();
    await using own = await startAuth({ now: () => nowMs, env: { SESSION_IDLE_MINUTES: "2" } });
    const person = { name: "somebody", password };
    await own.json("/api/auth/register", person);
    const signedIn = await readToken(await own.json("/api/auth/login", person));
    const answer = await own.json("/api/auth/login", { ...person, session: "cookie" });
    const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    const exchange = async () => readToken(await own.send("POST", "/api/auth/session/token", { cookie }));
    expect([signedIn.expires_in, (await exchange()).expires_in]).toEqual([120, 120]);
    // As the gateway does, before the token it has runs out.
    for (let round = 0; round < 20; round += 1) {
      nowMs += minuteMs;
      await exchange();
    }
    const { access_token } = await exchange();
    nowMs += 2 * minuteMs + 5_000;
    expect((await own.send("POST", "/api/auth/session/token", { cookie })).status).toBe(401);
    expect((await own.me(access_token)).status).toBe(401);
  });

  test("comes at its absolute limit however much it is used, for access tokens too", async () => {
    const { name } = await signedUp();
    let { refresh: token } = await signIn(name);
    for (const minutes of [50, 50, 45]) {
      clockMs += minutes * minuteMs;
      const answer = await readToken(await refresh(token));
      token = answer.refresh_token ?? "";
      if (minutes === 45) expect(answer.expires_in).toBeLessThanOrEqual(300);
    }
    clockMs += 5 * minuteMs;
    expect((await refresh(token)).status).toBe(401);
  });

  test("comes with a disabled person", async () => {
    const { name, id } = await signedUp();
    const { refresh: token } = await signIn(name);
    await auth.database.query("update users set disabled_at = now() where id = $1", [id]);
    expect((await refresh(token)).status).toBe(401);
  });

  test("is in the owner's hand: each is listed, one ends by its id, and only for its owner", async () => {
    const { name } = await signedUp();
    const stranger = await signIn((await signedUp()).name);
    const [here, there] = [await signIn(name), await signIn(name)];
    const listed = await sessionsOf(here.access);
    expect(listed).toHaveLength(2);
    expect(listed.filter(({ current }) => current)).toHaveLength(1);
    const other = listed.find(({ current }) => !current)?.id ?? "";
    expect((await auth.send("DELETE", `/api/auth/sessions/${other}`, { token: stranger.access })).status).toBe(404);
    expect(await statusOfMe(there.access)).toBe(200);
    expect((await auth.send("DELETE", `/api/auth/sessions/${other}`, { token: here.access })).status).toBe(204);
    expect(await statusOfMe(there.access)).toBe(401);
    expect((await refresh(there.refresh)).status).toBe(401);
    expect(await statusOfMe(here.access)).toBe(200);
    expect(await sessionsOf(here.access)).toHaveLength(1);
  });

  test("everywhere ends all, and all but this one if wanted", async () => {
    const { name } = await signedUp();
    const [one, two, three] = [await signIn(name), await signIn(name), await signIn(name)];
    const kept = await auth.send("DELETE", "/api/auth/sessions?keep=current", { token: one.access });
    expect(kept.status).toBe(204);
    expect(await Promise.all([one, two, three].map(({ access }) => statusOfMe(access)))).toEqual([200, 401, 401]);
    expect((await auth.send("DELETE", "/api/auth/sessions", { token: one.access })).status).toBe(204);
    expect(await statusOfMe(one.access)).toBe(401);
  });

  test("is nothing a client acting for a person may bring about", async () => {
    const { name, id } = await signedUp();
    const form = { grant_type: grantTypes.tokenExchange, subject_token: name, subject_token_type: userNameTokenType };
    const acting = await readToken(await auth.token(form, basic("cli", testSecrets.cli)));
    const answer = await auth.send("GET", "/api/auth/sessions", { token: acting.access_token });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([403, 'Bearer error="insufficient_scope"']);
    expect(await eventsOf(id)).toContain("authz_fail");
  });
});

describe("a new password", () => {
  const newPassword = "a lily on the water";

  test("needs the current one, and ends every session but this one", async () => {
    const { name, id } = await signedUp();
    const [here, there] = [await signIn(name), await signIn(name)];
    const change = (body: object) => auth.send("POST", "/api/auth/password", { token: here.access, body });
    expect((await change({ currentPassword: "wrong password", newPassword })).status).toBe(401);
    expect((await change({ currentPassword: password, newPassword: "password123" })).status).toBe(400);
    expect((await change({ currentPassword: password, newPassword })).status).toBe(204);
    expect(await Promise.all([here, there].map(({ access }) => statusOfMe(access)))).toEqual([200, 401]);
    expect((await refresh(there.refresh)).status).toBe(401);
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(401);
    expect((await auth.json("/api/auth/login", { name, password: newPassword })).status).toBe(200);
    expect((await eventsOf(id)).filter((event) => event === "authn_password_change")).toHaveLength(3);
  });

  test("leaves the other sessions if that is wanted", async () => {
    const { name } = await signedUp();
    const [here, there] = [await signIn(name), await signIn(name)];
    const body = { currentPassword: password, newPassword, endOtherSessions: false };
    expect((await auth.send("POST", "/api/auth/password", { token: here.access, body })).status).toBe(204);
    expect(await statusOfMe(there.access)).toBe(200);
  });

  test("asked for twice at once is taken once", async () => {
    const { name } = await signedUp();
    const { access } = await signIn(name);
    const answers = await Promise.all(
      ["a lily on the water 1", "a lily on the water 2"].map((next) =>
        auth.send("POST", "/api/auth/password", {
          token: access,
          body: { currentPassword: password, newPassword: next },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((one, other) => one - other)).toEqual([204, 401]);
  });
});

describe("the demo visitor", () => {
  test("sees no other visitor's session, and can neither end them nor change the password", async () => {
    const [one, two] = [await signIn("vip", "1234"), await signIn("vip", "1234")];
    const listed = await sessionsOf(one.access);
    expect(listed).toMatchObject([{ current: true }]);
    const other = (await sessionsOf(two.access))[0]?.id ?? "";
    const token = one.access;
    expect((await auth.send("DELETE", `/api/auth/sessions/${other}`, { token })).status).toBe(403);
    expect((await auth.send("DELETE", "/api/auth/sessions", { token })).status).toBe(403);
    const body = { currentPassword: "1234", newPassword: "a lily on the water" };
    expect((await auth.send("POST", "/api/auth/password", { token, body })).status).toBe(403);
    expect((await auth.send("POST", "/api/auth/logout", { token })).status).toBe(204);
    expect(await statusOfMe(two.access)).toBe(200);
  });
});

describe("a browser's session", () => {
  const own = { "sec-fetch-site": "same-origin", origin: "http://localhost:8080" };

  async function signInByCookie(name: string) {
    const body = { name, password, session: "cookie" };
    const answer = await auth.send("POST", "/api/auth/login", { body, headers: own });
    const header = answer.headers.get("set-cookie") ?? "";
    return { answer, header, cookie: header.split(";")[0] ?? "" };
  }

  test("is a cookie no script, no other host and no plain connection can have, and no token is in the answer", async () => {
    const { name, id } = await signedUp();
    const { answer, header } = await signInByCookie(name);
    expect(answer.status).toBe(200);
    expect(header).toMatch(/^__Host-vitrine_session=[A-Za-z0-9_-]{43}; /);
    const attributes = header
      .split("; ")
      .slice(1)
      .map((part) => part.split("=")[0]);
    expect(new Set(attributes)).toEqual(new Set(["HttpOnly", "Max-Age", "Path", "SameSite", "Secure"]));
    expect(header).toContain("Path=/;");
    expect(header).toContain("SameSite=Lax");
    const body: unknown = await answer.json();
    expect(cookieSession.parse(body).user).toEqual({ id, name, role: "viewer" });
    expect(JSON.stringify(body)).not.toMatch(/token|eyJ|vrt_/);
  });

  test("gives short access tokens for as long as it lives, and no refresh token", async () => {
    const { name, id } = await signedUp();
    const { cookie } = await signInByCookie(name);
    const token = await readToken(await auth.send("POST", "/api/auth/session/token", { cookie, headers: own }));
    expect(token.refresh_token).toBeUndefined();
    expect(await auth.verifier.verify(token.access_token)).toMatchObject({ sub: id });
    expect(await sessionsOf(token.access_token)).toMatchObject([{ kind: "cookie", current: true }]);
    const answer = await auth.send("POST", "/api/auth/logout", { cookie, headers: own });
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    const after = await auth.send("POST", "/api/auth/session/token", { cookie, headers: own });
    expect([after.status, await statusOfMe(token.access_token)]).toEqual([401, 401]);
  });

  test.each([
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["a sibling host", { "sec-fetch-site": "same-site", origin: "http://other.localhost:8080" }],
    ["another site in a browser that says its origin alone", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
  ])("is of no use to %s", async (_, headers) => {
    const { name } = await signedUp();
    const { cookie } = await signInByCookie(name);
    for (const path of ["/api/auth/session/token", "/api/auth/logout"]) {
      const answer = await auth.send("POST", path, { cookie, headers });
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([403, null]);
    }
    const body = { name, password, session: "cookie" };
    expect((await auth.send("POST", "/api/auth/login", { body, headers })).status).toBe(403);
    expect((await auth.send("POST", "/api/auth/session/token", { cookie, headers: own })).status).toBe(200);
  });

  test("is open to the gateway, which is no browser, and to nobody without the cookie", async () => {
    const { name } = await signedUp();
    const { cookie } = await signInByCookie(name);
    expect((await auth.send("POST", "/api/auth/session/token", { cookie })).status).toBe(200);
    expect((await auth.send("POST", "/api/auth/session/token")).status).toBe(401);
    const forged = `__Host-vitrine_session=${"A".repeat(43)}`;
    expect((await auth.send("POST", "/api/auth/session/token", { cookie: forged })).status).toBe(401);
    const bare = cookie.replace("__Host-", "");
    expect((await auth.send("POST", "/api/auth/session/token", { cookie: bare })).status).toBe(401);
  });

  test("does not take the place of a token", async () => {
    const { name } = await signedUp();
    const { cookie } = await signInByCookie(name);
    expect((await auth.send("GET", "/api/auth/me", { cookie })).status).toBe(401);
    expect((await auth.send("GET", "/api/auth/sessions", { cookie })).status).toBe(401);
  });
});
