import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { signingKeyList } from "@vitrine/contracts/signing-keys";
import { createKeyring } from "@vitrine/kit/tokens/keyring";
import { createTokenVerifier, type TokenVerifier } from "@vitrine/kit/tokens";
import { decodeProtectedHeader } from "jose";
import { bestOfThree, until } from "@vitrine/kit/testing/eventually";
import { leadMs, overlapMs } from "./key-rotation.ts";
import { clientToken, personToken } from "./testing/person-token.ts";
import { startAuth, type TestAuth } from "./testing/start-auth.ts";

let nowMs = Date.now();
const now = () => nowMs;
const dayMs = 86_400_000;
let one: TestAuth;
let two: TestAuth;

beforeAll(async () => {
  one = await startAuth({ now, env: { SIGNING_KEY_DAYS: "0" } });
  two = await startAuth({ now, postgres: one.postgres, config: one.config });
});

// A key set just read for the sake of one test is not read again at once for the next, and this clock stands still.
beforeEach(() => {
  nowMs += leadMs;
});

afterAll(async () => {
  await two[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
});

function kidOf(token: string): string | undefined {
  return decodeProtectedHeader(token).kid;
}

async function publishedKids(auth: TestAuth): Promise<readonly (string | undefined)[]> {
  const { keys } = (await (await auth.app.request("/.well-known/jwks.json")).json()) as { keys: { kid?: string }[] };
  return keys.map(({ kid }) => kid);
}

/** A verifier behind an HTTP cache that hands the key set out for as long as it may. */
function verifierBehindCache(auth: TestAuth): TokenVerifier {
  let cached: { readonly text: string; readonly untilMs: number } | undefined;
  return createTokenVerifier({
    ...auth.config.tokens,
    now,
    jwksUrl: "http://auth.test/.well-known/jwks.json",
    fetch: async () => {
      if (cached === undefined || cached.untilMs <= nowMs) {
        const response = await auth.app.request("/.well-known/jwks.json");
        const seconds = Number(/max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1]);
        cached = { text: await response.text(), untilMs: nowMs + seconds * 1_000 };
      }
      return new Response(cached.text);
    },
  });
}

describe("a hundred rotations", () => {
  test("under load two processes issue and four verifiers, two of them behind caches, refuse no valid token", async () => {
    const verifiers = [one.verifier, two.verifier, verifierBehindCache(one), verifierBehindCache(two)];
    const stepMs = 30_000;
    const rotationEverySteps = leadMs / stepMs + 1;
    const signers = new Set<string | undefined>();
    let mostPublished = 0;
    let judged = 0;
    let tokens: { readonly token: string; readonly untilMs: number }[] = [];
    let made = 0;
    for (let step = 0; made < 100; step += 1) {
      const rotating =
        step % rotationEverySteps === 0 ? (made % 2 === 0 ? one : two).rotation.rotate("planned") : undefined;
      const [a, b] = await Promise.all([clientToken(one, "orders"), clientToken(two, "orders"), rotating]);
      if (rotating !== undefined && (await rotating).made) made += 1;
      for (const token of [a, b]) {
        signers.add(kidOf(token));
        tokens.push({ token, untilMs: nowMs + 900_000 });
      }
      await Promise.all(verifiers.flatMap((verifier) => tokens.map(({ token }) => verifier.verify(token))));
      judged += verifiers.length * tokens.length;
      if (rotating !== undefined) mostPublished = Math.max(mostPublished, (await publishedKids(one)).length);
      nowMs += stepMs;
      tokens = tokens.filter(({ untilMs }) => untilMs > nowMs);
    }
    expect(signers.size).toBeGreaterThanOrEqual(99);
    expect(mostPublished).toBeLessThan(6);
    expect(judged).toBeGreaterThan(400_000);
    // What is long retired is removed, the private halves with it.
    expect((await one.rotation.list()).length).toBeLessThan(dayMs / leadMs + 6);
  }, 120_000);
});

describe("a planned rotation", () => {
  test("of many that ask at once, in two processes, one makes a key and all are told of it", async () => {
    nowMs += leadMs + overlapMs;
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? one : two).rotation.rotate("planned")),
    );
    expect(outcomes.filter(({ made }) => made)).toHaveLength(1);
    expect(new Set(outcomes.map(({ key }) => key.kid)).size).toBe(1);
  });

  test("publishes the new key for longer than any cache keeps the set, and the old one until its last token has expired", async () => {
    nowMs += leadMs + overlapMs;
    const before = kidOf(await clientToken(one, "orders"));
    const { key } = await two.rotation.rotate("planned");
    nowMs += 6_000;
    expect(await publishedKids(one)).toContain(key.kid);
    nowMs += leadMs - 6_001;
    const last = await clientToken(one, "orders");
    expect(kidOf(last)).toBe(before);
    nowMs += 1;
    expect(kidOf(await clientToken(one, "orders"))).toBe(key.kid);
    nowMs += 899_998;
    expect(await verifierBehindCache(one).verify(last)).toMatchObject({ sub: "orders" });
    nowMs += overlapMs;
    expect(await publishedKids(one)).toEqual([key.kid]);
  });
});

describe("a compromised key", () => {
  test("is gone at once in the process that was told, with all it signed", async () => {
    const old = await clientToken(one, "orders");
    await one.verifier.verify(old);
    const { key } = await one.rotation.rotate("compromised");
    await one.feed.catchUp();
    expect(await publishedKids(one)).toEqual([key.kid]);
    expect(kidOf(await clientToken(one, "orders"))).toBe(key.kid);
    await expect(one.verifier.verify(old)).rejects.toMatchObject({ reason: "revoked" });
    await expect(verifierBehindCache(one).verify(old)).rejects.toMatchObject({ reason: "unknown_key" });
  });

  test("signs nothing any more in the other process, and opens nothing there, within a second", async () => {
    const took = await bestOfThree(1_000, async () => {
      const old = await clientToken(two, "orders");
      await two.verifier.verify(old);
      const { key } = await one.rotation.rotate("compromised");
      const refusal = () => two.verifier.verify(old).then(String, (error: unknown) => error);
      const ms = await until(
        async () => kidOf(await clientToken(two, "orders")) === key.kid && typeof (await refusal()) !== "string",
      );
      expect(await refusal()).toMatchObject({ code: "invalid_token", reason: "revoked" });
      expect(await publishedKids(two)).toEqual([key.kid]);
      return ms;
    });
    expect(took).toBeLessThan(1_000);
  });

  test("is refused a month later by who only then hears of it, however many were compromised", async () => {
    const before = await clientToken(one, "orders");
    await one.rotation.rotate("compromised");
    await one.rotation.rotate("compromised");
    nowMs += 29 * dayMs;
    const late = createKeyring({ now });
    late.apply(await one.feed.read(undefined, 0, new AbortController().signal));
    const claims = { iss: "", aud: "", sub: "", client_id: "", scope: "", jti: "", iat: 0, exp: 0 };
    expect(late.isRevoked(claims, kidOf(before) ?? "")).toBe(true);
    expect(late.isRevoked(claims, kidOf(await clientToken(one, "orders")) ?? "")).toBe(false);
  });
});

describe("the schedule", () => {
  test("makes the next key so that it signs when the days are over, once, however many processes look", async () => {
    const atMs = { now: Date.now() };
    const clock = () => atMs.now;
    const env = { SIGNING_KEY_DAYS: "30" };
    await using first = await startAuth({ now: clock, env });
    await using second = await startAuth({ now: clock, postgres: first.postgres, config: first.config });
    const [old] = await first.rotation.list();
    if (old === undefined) throw new Error("no key");
    atMs.now = old.notBeforeMs + 30 * dayMs - leadMs - 1;
    await Promise.all([first.rotation.start(), second.rotation.start()]);
    expect(await first.rotation.list()).toHaveLength(1);
    atMs.now += 1;
    await Promise.all([first.rotation.start(), second.rotation.start()]);
    const keys = await first.rotation.list();
    expect(keys.map(({ notBeforeMs }) => notBeforeMs)).toEqual([old.notBeforeMs + 30 * dayMs, old.notBeforeMs]);
    const rows = await first.database.query(
      "select outcome, actor, target from audit_log where action = 'signing_key_rotate'",
    );
    expect(rows).toEqual([{ outcome: "success", actor: "schedule", target: keys[0]?.kid }]);
  });

  test("with 0 days never does", async () => {
    nowMs += 4_000 * dayMs;
    const before = await one.rotation.list();
    await one.rotation.start();
    expect(await one.rotation.list()).toEqual(before);
  });
});

describe("the routes", () => {
  async function send(method: "GET" | "POST", token: string, body?: object) {
    return one.app.request("/api/auth/signing-keys", {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  test("an administrator lists and rotates; nothing private is told", async () => {
    nowMs += leadMs + overlapMs;
    const admin = await personToken(one, "admin");
    const made = await send("POST", admin, {});
    expect(made.status).toBe(201);
    const text = await made.text();
    const { items } = signingKeyList.parse(JSON.parse(text));
    expect(items.filter(({ status }) => status !== "retired").map(({ status }) => status)).toEqual(["next", "signing"]);
    expect(text).not.toMatch(/"d"|jwk|sealed/i);
    const [row] = await one.database.query("select * from audit_log where action = 'signing_key_rotate'");
    expect(row).toMatchObject({ event: "authz_admin", outcome: "success", target: items[0]?.kid, reason: "planned" });
    expect((await send("POST", admin, { mode: "planned" })).status).toBe(200);
    expect((await send("GET", admin)).status).toBe(200);
    expect((await send("POST", admin, { mode: "at once" })).status).toBe(400);
  });

  test("an operator and a service may not", async () => {
    for (const token of [await personToken(one, "operator"), await clientToken(one, "orders")]) {
      expect((await send("GET", token)).status).toBe(403);
      expect((await send("POST", token, { mode: "compromised" })).status).toBe(403);
    }
  });
});
