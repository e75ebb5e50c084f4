import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { feedAnswer, type FeedAnswer } from "@vitrine/contracts/feed";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { type FeedFollower, followFeed } from "@vitrine/kit/tokens/feed";
import { createKeyring, type Keyring } from "@vitrine/kit/tokens/keyring";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { bestOfThree, until } from "@vitrine/kit/testing/eventually";
import { revoke } from "../revocations.ts";
import { createFeedStore } from "../store/feed.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

let auth: TestAuth;
let gatewayToken = "";

beforeAll(async () => {
  auth = await startAuth();
  gatewayToken = await tokenOf("gateway", testSecrets.gateway);
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

async function tokenOf(clientId: string, secret: string, from = auth): Promise<string> {
  const response = await from.token({ grant_type: "client_credentials" }, basic(clientId, secret));
  return (await readToken(response)).access_token;
}

async function read(query: string, from = auth, token = gatewayToken): Promise<FeedAnswer> {
  const response = await from.app.request(`/api/auth/feed${query}`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return feedAnswer.parse(await response.json());
}

function later(): { readonly atMs: number; readonly expiresAtMs: number } {
  return { atMs: Date.now(), expiresAtMs: Date.now() + 900_000 };
}

async function revokeToken(id: string, from = auth): Promise<void> {
  await from.database.transaction((tx) => revoke(tx, { kind: "jti", id, ...later() }));
}

/** A gateway: its own keyring, following the service over HTTP. */
function gateway(from: TestAuth, fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const keyring = createKeyring();
  const follower = followFeed({
    url: "http://auth.test/api/auth/feed",
    token: createTokenSource({
      tokenUrl: "http://auth.test/oauth/token",
      clientId: "gateway",
      clientSecret: testSecrets.gateway,
      fetch: async (url, init) => from.app.request(url, init),
    }),
    keyring,
    fetch,
    waitSeconds: 1,
  });
  return { keyring, follower };
}

function knows(keyring: Keyring, jti: string): boolean {
  const claims = { iss: "", aud: "", sub: "nobody", client_id: "nobody", scope: "", exp: 4_000_000_900 };
  return keyring.isRevoked({ ...claims, jti, iat: 4_000_000_000 }, "");
}

describe("who may read", () => {
  test("without a token 401, with a token of another scope 403", async () => {
    expect((await auth.app.request("/api/auth/feed")).status).toBe(401);
    // Its own service: another test revokes this client's tokens, and would have this one answered with 401.
    await using own = await startAuth();
    const orders = await tokenOf("orders", testSecrets.orders, own);
    const headers = { authorization: `Bearer ${orders}` };
    expect((await own.app.request("/api/auth/feed", { headers })).status).toBe(403);
    expect((await own.app.request("/api/auth/feed/used", { method: "POST", headers })).status).toBe(403);
  });

  test.each(["?after=-1", "?after=x", "?after=1e3", "?wait=26", "?wait=1.5", "?before=1"])(
    "the query %s is refused",
    async (query) => {
      const headers = { authorization: `Bearer ${gatewayToken}` };
      expect((await auth.app.request(`/api/auth/feed${query}`, { headers })).status).toBe(400);
    },
  );
});

describe("what is answered", () => {
  test("first everything live, then only what is new, in the order of its commits", async () => {
    await revokeToken("first");
    const snapshot = await read("");
    expect(snapshot.snapshot).toBe(true);
    expect(snapshot.revocations.map(({ id }) => id)).toContain("first");
    await revokeToken("second");
    await revokeToken("third");
    const news = await read(`?after=${snapshot.seq}`);
    expect(news).toMatchObject({ snapshot: false, revocations: [{ id: "second" }, { id: "third" }], keys: [] });
    expect(await read(`?after=${news.seq}`)).toMatchObject({ seq: news.seq, snapshot: false, revocations: [] });
  });

  test("a waiting request is answered by the commit, well within a second", async () => {
    const took = await bestOfThree(1_000, async (round) => {
      const { seq } = await read("");
      const waiting = read(`?after=${seq}&wait=10`);
      const startedAt = performance.now();
      await revokeToken(`awaited-${round}`);
      expect(await waiting).toMatchObject({ revocations: [{ id: `awaited-${round}` }] });
      return performance.now() - startedAt;
    });
    expect(took).toBeLessThan(1_000);
  });

  test("a waiting request is answered with nothing when its time is over", async () => {
    const { seq } = await read("");
    expect(await read(`?after=${seq}&wait=1`)).toEqual({ seq, snapshot: false, revocations: [], keys: [] });
  });

  test("a number nobody gave out is answered with everything live", async () => {
    expect(await read("?after=999999999")).toMatchObject({ snapshot: true });
  });

  test("what has expired is forgotten, and who may have missed some of it starts anew", async () => {
    await using own = await startAuth();
    const token = await tokenOf("gateway", testSecrets.gateway, own);
    const { seq } = await read("", own, token);
    const atMs = Date.now();
    await own.database.transaction((tx) => revoke(tx, { kind: "jti", id: "old", atMs, expiresAtMs: atMs + 1_000 }));
    await own.database.transaction((tx) => revoke(tx, { kind: "jti", id: "kept", ...later() }));
    const store = createFeedStore(own.database);
    await store.prune(atMs + 30_000);
    expect((await read(`?after=${seq}`, own, token)).revocations.map(({ id }) => id)).toEqual(["old", "kept"]);
    await store.prune(atMs + 62_000);
    const answer = await read(`?after=${seq}`, own, token);
    expect(answer).toMatchObject({ snapshot: true, revocations: [{ id: "kept" }] });
    await store.prune(atMs + 10_000_000);
    expect(await read(`?after=${answer.seq}`, own, token)).toMatchObject({ snapshot: false, revocations: [] });
  });
});

describe("gateways that follow", () => {
  const followers: FeedFollower[] = [];

  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
  });

  test("a revocation in one process is known within a second at gateways of another and in both processes", async () => {
    await using second = await startAuth({ postgres: auth.postgres, config: auth.config });
    const gateways = [auth, second, second].map((from) =>
      gateway(from, async (url, init) => from.app.request(url, init)),
    );
    followers.push(...gateways.map(({ follower }) => follower));
    await Promise.all(gateways.map(({ follower }) => follower.ready()));
    const keyrings = [auth.keyring, second.keyring, ...gateways.map(({ keyring }) => keyring)];
    const took = await bestOfThree(1_000, async (round) => {
      await revokeToken(`round-${round}`);
      return until(() => keyrings.every((keyring) => knows(keyring, `round-${round}`)));
    });
    expect(took).toBeLessThan(1_000);
    await Promise.all(gateways.map(({ follower }) => follower.stop()));
  });

  test("after a cut in which 2,500 tokens were revoked the gateway knows each of them, and says how old its knowledge is", async () => {
    let cut = false;
    const { keyring, follower } = gateway(auth, async (url, init) => {
      if (cut) throw new Error("the cable is cut");
      const response = await auth.app.request(url, init);
      if (cut) throw new Error("the cable is cut");
      return response;
    });
    followers.push(follower);
    await follower.ready();
    await revokeToken("before the cut");
    await until(() => knows(keyring, "before the cut"));
    cut = true;
    const ids = Array.from({ length: 2_500 }, (_, index) => `cut-${index}`);
    await auth.database.transaction(async (tx) => {
      for (const id of ids) await revoke(tx, { kind: "jti", id, ...later() });
    });
    await until(() => follower.ageMs() > 1_500);
    expect(knows(keyring, "before the cut")).toBe(true);
    expect(knows(keyring, "cut-0")).toBe(false);
    cut = false;
    await until(() => ids.every((id) => knows(keyring, id)));
    await until(() => follower.ageMs() < 1_500);
  }, 60_000);

  test("a token whose session, person, client or id is revoked is refused by a following verifier, also from its cache", async () => {
    const { keyring, follower } = gateway(auth, async (url, init) => auth.app.request(url, init));
    followers.push(follower);
    await follower.ready();
    const verifier = createTokenVerifier({
      ...auth.config.tokens,
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      fetch: async (url) => auth.app.request(url),
      isRevoked: keyring.isRevoked,
    });
    const token = await tokenOf("orders", testSecrets.orders);
    const claims = await verifier.verify(token);
    await revokeToken(claims.jti);
    await until(() => keyring.isRevoked(claims, ""));
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "invalid_token", reason: "revoked" });
    const other = await tokenOf("orders", testSecrets.orders);
    expect(await verifier.verify(other)).toMatchObject({ sub: "orders" });
    await auth.database.transaction((tx) => revoke(tx, { kind: "client", id: "orders", ...later() }));
    await until(() => keyring.isRevoked({ ...claims, jti: "another" }, ""));
    await expect(verifier.verify(other)).rejects.toMatchObject({ reason: "revoked" });
  });
});

test("the stop of the service ends what waits", async () => {
  const own = await startAuth();
  const token = await tokenOf("gateway", testSecrets.gateway, own);
  const { seq } = await read("", own, token);
  const startedAt = performance.now();
  const waiting = read(`?after=${seq}&wait=20`, own, token);
  own.stop();
  expect(await waiting).toMatchObject({ seq, revocations: [] });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await own[Symbol.asyncDispose]();
});
