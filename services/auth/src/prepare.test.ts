import { describe, expect, test } from "bun:test";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { basic, newSecret, readToken, startAuth, testConfig, testSecrets, wireAuth } from "./testing/start-auth.ts";

const clientCredentials = { grant_type: "client_credentials" };

describe("start-up", () => {
  test("processes that start at once make one key and one administrator, and honour each other's tokens", async () => {
    const postgres = await startPostgres();
    const config = await testConfig(postgres.url, { DEMO: "on" });
    await using one = await wireAuth({ postgres, config });
    await using two = await wireAuth({ postgres, config });
    await using three = await wireAuth({ postgres, config });
    const processes = [one, two, three];
    await Promise.all(processes.map((auth) => auth.prepare()));

    expect(await one.database.query("select kid from signing_keys")).toHaveLength(1);
    expect(await one.database.query("select name, role from users order by name")).toEqual([
      { name: "admin", role: "admin" },
      { name: "vip", role: "viewer" },
    ]);
    expect(processes.flatMap(({ printed }) => printed)).toHaveLength(1);
    expect(processes.flatMap(({ lines }) => lines.filter(({ action }) => action === "auth.key_created"))).toHaveLength(
      1,
    );
    const login = await readToken(await one.json("/api/auth/login", { name: "vip", password: "1234" }));
    expect((await two.me(login.access_token)).status).toBe(200);
  });

  test("a second start changes nothing", async () => {
    await using first = await startAuth();
    const before = await first.database.query("select id, password_hash from users");
    await using second = await startAuth({ postgres: first.postgres, config: first.config });
    expect(await first.database.query("select id, password_hash from users")).toEqual(before);
    expect(await second.keys.publicKeys()).toEqual(await first.keys.publicKeys());
    expect(second.printed).toEqual([]);
  });
});

describe("first administrator", () => {
  test("its one-time password is printed once, is in no log line, and signs it in", async () => {
    await using auth = await startAuth();
    expect(auth.printed).toHaveLength(1);
    const password = /name admin, password (\S+) /.exec(auth.printed[0] ?? "")?.[1] ?? "";
    expect(password).toHaveLength(24);
    expect(JSON.stringify(auth.lines)).not.toContain(password);
    const login = await auth.json("/api/auth/login", { name: "admin", password });
    expect((await readToken(login)).scope).toContain("users:admin");
  });

  test("a start that ends before its password is kept leaves no administrator, and the next one shows another", async () => {
    const postgres = await startPostgres();
    const config = await testConfig(postgres.url);
    const shown: string[] = [];
    await using ended = await wireAuth({
      postgres,
      config,
      print: (line) => {
        shown.push(line);
        throw new Error("the terminal is gone");
      },
    });
    await expect(ended.prepare()).rejects.toThrow("the terminal is gone");
    expect(await ended.database.query("select name from users")).toEqual([]);
    await using next = await startAuth({ postgres, config });
    const [first, second] = [...shown, ...next.printed].map((line) => /password (\S+) /.exec(line)?.[1] ?? "");
    const signIn = async (password = "") => (await next.json("/api/auth/login", { name: "admin", password })).status;
    expect([await signIn(first), await signIn(second)]).toEqual([401, 200]);
  });

  test("a password that was set is used and not printed", async () => {
    await using auth = await startAuth({ env: { ADMIN_PASSWORD: "a glass case by the sea" } });
    expect(auth.printed).toEqual([]);
    const login = await auth.json("/api/auth/login", { name: "admin", password: "a glass case by the sea" });
    expect(login.status).toBe(200);
  });

  test("somebody who holds the name is not made administrator by it", async () => {
    await using auth = await startAuth();
    await auth.database.query("update users set role = 'viewer' where name = 'admin'");
    await using next = await wireAuth({ postgres: auth.postgres, config: auth.config });
    await expect(next.prepare()).rejects.toThrow("there is no administrator");
  });
});

describe("demo visitor", () => {
  test("exists only while DEMO is on, and comes back as the same person", async () => {
    const postgres = await startPostgres();
    const visit = { name: "vip", password: "1234" };
    const start = async (demo: string) =>
      startAuth({ postgres, config: await testConfig(postgres.url, { DEMO: demo, ...keep }) });
    const keep = { KEY_ENCRYPTION_KEY: newSecret() };
    await using off = await start("off");
    expect((await off.json("/api/auth/login", visit)).status).toBe(401);
    await using on = await start("on");
    const { access_token } = await readToken(await on.json("/api/auth/login", visit));
    const person = await (await on.me(access_token)).json();
    expect(person).toMatchObject({ name: "vip", role: "viewer" });
    await using offAgain = await start("off");
    expect((await offAgain.json("/api/auth/login", visit)).status).toBe(401);
    expect((await offAgain.me(access_token)).status).toBe(401);
    await using onAgain = await start("on");
    const again = await readToken(await onAgain.json("/api/auth/login", visit));
    expect(await (await onAgain.me(again.access_token)).json()).toEqual(person);
  });

  test("somebody who registered under its name is left alone", async () => {
    await using auth = await startAuth();
    await auth.json("/api/auth/register", { name: "VIP", password: "nine lives and a hat" });
    await using demo = await startAuth({
      postgres: auth.postgres,
      config: { ...auth.config, people: { demo: true, adminPassword: undefined } },
    });
    expect((await demo.json("/api/auth/login", { name: "vip", password: "1234" })).status).toBe(401);
    expect((await demo.json("/api/auth/login", { name: "vip", password: "nine lives and a hat" })).status).toBe(200);
  });
});

describe("preset clients", () => {
  test("are stored hashed, follow the file, and are disabled once they left it", async () => {
    await using auth = await startAuth();
    const [stored] = await auth.database.query<{ text: string }>(
      "select string_agg(clients::text, '') as text from clients",
    );
    expect(stored?.text).not.toContain(testSecrets.orders);
    expect(stored?.text).not.toContain(Buffer.from(testSecrets.orders).toString("hex"));

    const before = await readToken(await auth.token(clientCredentials, basic("cli", testSecrets.cli)));
    const renewed = newSecret();
    const orders = { clientId: "orders", clientSecret: renewed, service: "orders", scopes: ["inventory:read"] };
    const config = await testConfig(auth.postgres.url, {}, [orders]);
    const keep = { ...config, keyEncryptionKey: auth.config.keyEncryptionKey };
    await using next = await startAuth({ postgres: auth.postgres, config: keep });
    expect((await next.token(clientCredentials, basic("orders", testSecrets.orders))).status).toBe(401);
    expect((await readToken(await next.token(clientCredentials, basic("orders", renewed)))).scope).toBe(
      "inventory:read",
    );
    expect((await next.token(clientCredentials, basic("cli", testSecrets.cli))).status).toBe(401);
    // What it was given before is no good either; a token that is good is refused here with 403.
    expect((await next.me(before.access_token)).status).toBe(401);
    const loaded = next.lines.find(({ action }) => action === "auth.clients_loaded");
    expect(loaded?.["extra"]).toEqual({ stored: 1, disabled: expect.arrayContaining(["cli", "gateway"]) });

    await using back = await startAuth({ postgres: auth.postgres, config: auth.config });
    expect((await back.token(clientCredentials, basic("cli", testSecrets.cli))).status).toBe(200);
  });
});
