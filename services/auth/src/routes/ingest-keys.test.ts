import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createdIngestKey, type IngestKey, ingestKeyPage } from "@vitrine/contracts/ingest-keys";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { followFeed } from "@vitrine/kit/tokens/feed";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { createKeyring } from "@vitrine/kit/tokens/keyring";
import { bestOfThree, until } from "@vitrine/kit/testing/eventually";
import { personToken } from "../testing/person-token.ts";
import { basic, readToken, startAuth, type TestAuth, testConfig, testSecrets } from "../testing/start-auth.ts";

let auth: TestAuth;
let operator = "";
let viewer = "";

beforeAll(async () => {
  auth = await startAuth();
  [operator, viewer] = await Promise.all([personToken(auth, "operator"), personToken(auth, "viewer")]);
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

async function send(method: string, path: string, token: string, body?: unknown, from = auth): Promise<Response> {
  return from.app.request(`/api/auth/ingest-keys${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

let names = 0;
function grant(change: object = {}): object {
  names += 1;
  return { name: `shop-${names}`, scopes: ["logs:write"], service: "shop", ...change };
}

async function create(body: object = grant(), from = auth, token = operator) {
  const response = await send("POST", "", token, body, from);
  expect(response.status).toBe(201);
  return createdIngestKey.parse(await response.json());
}

async function list(from = auth, token = operator) {
  const found: IngestKey[] = [];
  let cursor: string | null = null;
  do {
    const response = await send(
      "GET",
      cursor === null ? "?limit=3" : `?limit=3&cursor=${cursor}`,
      token,
      undefined,
      from,
    );
    const page: ReturnType<typeof ingestKeyPage.parse> = ingestKeyPage.parse(await response.json());
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

describe("making a key", () => {
  test("an operator gets a key that the process knows at once, with the scopes and the service asked for", async () => {
    const made = await create(grant({ scopes: ["logs:write", "traces:write"], expiresAt: "2990-01-01T00:00:00Z" }));
    expect(made).toMatchObject({ status: "active", preset: false, expiresAt: "2990-01-01T00:00:00.000Z" });
    expect(auth.keyring.identify(made.key)).toMatchObject({
      client_id: made.clientId,
      jti: made.id,
      scope: "logs:write traces:write",
      service: "shop",
    });
  });

  test("a key is shown once: neither the list, the tables, the feed nor any log line holds it", async () => {
    const made = await create();
    const secret = made.key.slice(21);
    const tables = await auth.database.query<{ text: string }>(
      "select (select string_agg(k::text, ' ') from ingest_keys k) || (select string_agg(f::text, ' ') from feed_entries f) || (select string_agg(a::text, ' ') from audit_log a) as text",
    );
    const gateway = await readToken(
      await auth.token({ grant_type: "client_credentials" }, basic("gateway", testSecrets.gateway)),
    );
    const feed = await auth.app.request("/api/auth/feed", {
      headers: { authorization: `Bearer ${gateway.access_token}` },
    });
    const everything = [
      JSON.stringify(await list()),
      tables[0]?.text ?? "",
      await feed.text(),
      JSON.stringify(auth.lines),
      JSON.stringify(auth.printed),
    ].join("\n");
    expect(everything).toContain(made.id);
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(Buffer.from(made.key).toString("hex"));
    expect(everything).not.toContain(Buffer.from(made.key).toString("base64"));
  });

  test.each([
    ["a scope that reads", { scopes: ["telemetry:read"] }],
    ["a scope for all signals", { scopes: ["telemetry:write"] }],
    ["no scope", { scopes: [] }],
    ["no service", { service: undefined }],
    ["a service and a prefix", { servicePrefix: "shop-" }],
    ["a prefix that does not end with a separator", { service: undefined, servicePrefix: "shop" }],
    ["a service that breaks a header", { service: "shop\r\nx: y" }],
    ["a name in capitals", { name: "Shop" }],
    ["a time in the past", { expiresAt: "2020-01-01T00:00:00Z" }],
    ["a time that is none", { expiresAt: "soon" }],
    ["a field nobody knows", { scope: "all" }],
  ])("a key with %s is refused", async (_, change) => {
    const response = await send("POST", "", operator, grant(change));
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "invalid_request"]);
  });

  test("viewers and services without the scope may not make, list or revoke keys; without a token it is 401", async () => {
    const orders = await readToken(
      await auth.token({ grant_type: "client_credentials" }, basic("orders", testSecrets.orders)),
    );
    for (const token of [viewer, orders.access_token]) {
      for (const [method, path, body] of [
        ["POST", "", grant()],
        ["GET", "", undefined],
        ["DELETE", "/0123456789abcdef", undefined],
      ] as const)
        expect((await send(method, path, token, body)).status).toBe(403);
    }
    expect((await auth.app.request("/api/auth/ingest-keys")).status).toBe(401);
  });

  test("an ingest key opens none of the service's own doors", async () => {
    const { key } = await create();
    expect((await send("GET", "", key)).status).toBe(401);
    expect((await auth.me(key)).status).toBe(401);
  });
});

describe("rotation", () => {
  test("two keys of one name work side by side, a third is refused until one is revoked", async () => {
    const body = grant();
    const first = await create(body);
    const second = await create(body);
    expect(first.clientId).toBe(second.clientId);
    expect([auth.keyring.identify(first.key).jti, auth.keyring.identify(second.key).jti]).toEqual([
      first.id,
      second.id,
    ]);
    const third = await send("POST", "", operator, body);
    expect([third.status, ((await third.json()) as { code: string }).code]).toEqual([409, "too_many_keys"]);
    expect((await send("DELETE", `/${first.id}`, operator)).status).toBe(204);
    expect(() => auth.keyring.identify(first.key)).toThrow(expect.objectContaining({ reason: "revoked" }));
    await create(body);
    const rows = await auth.database.query(
      "select event, outcome, action, target, reason, actor is not null as by_someone from audit_log where target = $1 or reason = 'too_many_keys' order by seq",
      [first.id],
    );
    const entry = { target: first.id, reason: null, outcome: "success", by_someone: true };
    expect(rows.slice(-3)).toContainAllValues([
      { ...entry, event: "authn_token_created", action: "ingest_key_create" },
      {
        ...entry,
        event: "authn_token_created",
        action: "ingest_key_create",
        outcome: "failure",
        target: null,
        reason: "too_many_keys",
      },
      { ...entry, event: "authn_token_revoked", action: "ingest_key_revoke" },
    ]);
  });

  test("of many that ask for keys of one name at once, two get one", async () => {
    const body = grant();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send("POST", "", operator, body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(6);
  });

  test("a key that has expired makes room", async () => {
    let atMs = Date.now();
    await using own = await startAuth({ postgres: auth.postgres, config: auth.config, now: () => atMs });
    const body = grant({ expiresAt: new Date(atMs + 60_000).toISOString() });
    const token = await personToken(own, "operator");
    const first = await create(body, own, token);
    await create(body, own, token);
    atMs += 61_000;
    await create({ ...body, expiresAt: new Date(atMs + 60_000).toISOString() }, own, token);
    expect((await list(own, token)).find(({ id }) => id === first.id)).toMatchObject({ status: "expired" });
    expect(() => own.keyring.identify(first.key)).toThrow(expect.objectContaining({ reason: "expired" }));
  });
});

describe("revoking a key", () => {
  test("it ends within a second at a gateway that follows another process, whether revoked once or twice", async () => {
    await using second = await startAuth({ postgres: auth.postgres, config: auth.config });
    const keyring = createKeyring();
    const fetch = async (url: string, init: RequestInit) => second.app.request(url, init);
    const follower = followFeed({
      url: "http://auth.test/api/auth/feed",
      token: createTokenSource({
        tokenUrl: "http://auth.test/oauth/token",
        clientId: "gateway",
        clientSecret: testSecrets.gateway,
        fetch,
      }),
      keyring,
      fetch,
    });
    await follower.ready();
    const took = await bestOfThree(1_000, async () => {
      const { id, key } = await create();
      const outcome = (): string => {
        try {
          return keyring.identify(key).jti;
        } catch (error) {
          return (error as { reason: string }).reason;
        }
      };
      const knownMs = await until(() => outcome() === id);
      expect((await send("DELETE", `/${id}`, operator)).status).toBe(204);
      const revokedMs = await until(() => outcome() === "revoked");
      expect((await send("DELETE", `/${id}`, operator)).status).toBe(204);
      return Math.max(knownMs, revokedMs);
    });
    expect(took).toBeLessThan(1_000);

    const used = await create();
    await until(() => keyring.size().keys > 0 && isKnown(used.key));
    await follower.stop();
    const seen = (await list()).find((listed) => listed.id === used.id)?.lastUsedAt ?? "";
    expect(Date.now() - Date.parse(seen)).toBeLessThan(60_000);

    function isKnown(text: string): boolean {
      try {
        return keyring.identify(text).jti !== "";
      } catch {
        return false;
      }
    }
  }, 60_000);

  test("a key that does not exist is not found", async () => {
    expect((await send("DELETE", "/0123456789abcdef", operator)).status).toBe(404);
    expect((await send("DELETE", "/%00", operator)).status).toBe(404);
  });
});

describe("preset keys", () => {
  const first = makeIngestKey();
  const second = makeIngestKey();

  function preset(key: string, name: string): object {
    return { name, key, scopes: ["logs:write"], servicePrefix: "edge-" };
  }

  async function startWith(keys: readonly object[], postgres = auth.postgres): Promise<TestAuth> {
    return startAuth({
      postgres,
      config: await testConfig(postgres.url, { ...shared, INGEST_KEYS: JSON.stringify(keys) }),
    });
  }

  let shared: Record<string, string>;
  beforeAll(() => {
    shared = { KEY_ENCRYPTION_KEY: Buffer.from(auth.config.keyEncryptionKey).toString("base64url") };
  });

  test("they work from the start, follow the configuration, and no line or table holds them", async () => {
    await using one = await startWith([preset(first.key, "edge"), preset(second.key, "edge")]);
    expect(one.keyring.identify(first.key)).toMatchObject({ client_id: "key:edge", service_prefix: "edge-" });
    expect((await list()).find(({ id }) => id === first.id)).toMatchObject({
      preset: true,
      createdBy: "configuration",
    });
    await using two = await startWith([preset(second.key, "edge-renamed")]);
    expect(() => two.keyring.identify(first.key)).toThrow(expect.objectContaining({ reason: "revoked" }));
    expect(two.keyring.identify(second.key)).toMatchObject({ client_id: "key:edge-renamed" });
    const [row] = await two.database.query<{ text: string }>(
      "select string_agg(k::text, ' ') as text from ingest_keys k",
    );
    expect(row?.text).not.toContain(second.key.slice(21));
    expect(JSON.stringify([one.lines, two.lines])).not.toContain(second.key.slice(21));
    await using three = await startWith([preset(first.key, "edge")]);
    expect(three.keyring.identify(first.key)).toMatchObject({ client_id: "key:edge" });
  });

  test("one that somebody revoked does not come back with a restart, and a warning names it", async () => {
    const leaked = makeIngestKey();
    await using one = await startWith([preset(leaked.key, "leaked")]);
    expect((await send("DELETE", `/${leaked.id}`, operator, undefined, one)).status).toBe(204);
    await using two = await startWith([preset(leaked.key, "leaked")]);
    expect(() => two.keyring.identify(leaked.key)).toThrow(expect.objectContaining({ reason: "revoked" }));
    expect(two.lines.find(({ action }) => action === "auth.ingest_keys_loaded")).toMatchObject({
      level: "warn",
      extra: { refused: [leaked.id] },
    });
  });
});
