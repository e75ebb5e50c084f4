import { expect, test } from "bun:test";
import { type FeedAnswer, keyUsage } from "@vitrine/contracts/feed";
import { followFeed } from "./feed.ts";
import { makeIngestKey } from "./ingest-key.ts";
import { createKeyring } from "./keyring.ts";

const empty: FeedAnswer = { seq: 7, snapshot: false, revocations: [], keys: [] };

/** A feed whose answers a test gives one by one; it keeps what it was asked. */
function world(script: (call: number, url: string, init: RequestInit) => Promise<Response> | Response) {
  const asked: { readonly url: string; readonly init: RequestInit }[] = [];
  const lost: unknown[] = [];
  let tokens = 0;
  const keyring = createKeyring();
  const follower = followFeed({
    url: "http://auth.test/api/auth/feed",
    token: { get: async () => `token-${tokens}`, forget: () => void (tokens += 1) },
    keyring,
    onLost: (error) => lost.push(error),
    usageEveryMs: 3_600_000,
    fetch: async (url, init) => {
      asked.push({ url, init });
      return await script(asked.length, url, init);
    },
  });
  return { asked, lost, keyring, follower };
}

function never(init: RequestInit): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<Response>();
  if (init.signal?.aborted === true) reject(new Error("aborted"));
  init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
  return promise;
}

test("it begins with a snapshot and goes on from each answer, waiting for news", async () => {
  const second = Promise.withResolvers<void>();
  const { asked, follower } = world((call, _, init) => {
    if (call === 1) return Response.json({ ...empty, snapshot: true });
    if (call === 2) return Response.json({ ...empty, seq: 9 });
    second.resolve();
    return never(init);
  });
  await follower.ready();
  await second.promise;
  expect(asked.map(({ url }) => url.replace("http://auth.test/api/auth/feed", ""))).toEqual([
    "",
    "?after=7&wait=10",
    "?after=9&wait=10",
  ]);
  expect(asked[0]?.init).toMatchObject({ redirect: "manual", headers: { authorization: "Bearer token-0" } });
  await follower.stop();
  expect(asked).toHaveLength(3);
});

test("a feed that fails in any way is asked again from the same place, told lost once, and with a new token after a 401", async () => {
  const recovered = Promise.withResolvers<void>();
  const { asked, lost, follower } = world((call, _, init) => {
    switch (call) {
      case 1:
        return Response.json({ ...empty, snapshot: true });
      case 2:
        throw new Error("refused");
      case 3:
        return Response.json({ seq: "seven" });
      case 4:
        return new Response(null, { status: 503 });
      case 5:
        return new Response(null, { status: 401 });
      case 6:
        return Response.json(empty);
      default:
        recovered.resolve();
        return never(init);
    }
  });
  await recovered.promise;
  expect(new Set(asked.slice(1).map(({ url }) => url)).size).toBe(1);
  expect(lost).toHaveLength(1);
  expect(asked[4]?.init.headers).toMatchObject({ authorization: "Bearer token-0" });
  expect(asked[5]?.init.headers).toMatchObject({ authorization: "Bearer token-1" });
  expect(follower.ageMs()).toBeLessThan(5_000);
  await follower.stop();
}, 60_000);

test("what is known stays known while the feed is away", async () => {
  const gone = Promise.withResolvers<void>();
  const { id, key, hash } = makeIngestKey();
  const record = {
    id,
    hash: Buffer.from(hash).toString("base64url"),
    clientId: "key:shop",
    scopes: ["logs:write" as const],
    service: "shop",
  };
  const { keyring, follower } = world((call) => {
    if (call === 1) return Response.json({ ...empty, snapshot: true, keys: [record] });
    if (call === 3) gone.resolve();
    return new Response(null, { status: 503 });
  });
  await gone.promise;
  expect(keyring.identify(key)).toMatchObject({ jti: id });
  await follower.stop();
});

test("the use of keys is reported at the latest when it stops, and kept when the report fails", async () => {
  const { id, key, hash } = makeIngestKey();
  const record = {
    id,
    hash: Buffer.from(hash).toString("base64url"),
    clientId: "key:shop",
    scopes: ["logs:write" as const],
    service: "shop",
  };
  const { asked, keyring, follower } = world((call, url, init) => {
    if (url.endsWith("/used")) return new Response(null, { status: 503 });
    return call === 1 ? Response.json({ ...empty, snapshot: true, keys: [record] }) : never(init);
  });
  await follower.ready();
  keyring.identify(key);
  await follower.stop();
  const report = asked.at(-1);
  expect(report).toMatchObject({ url: "http://auth.test/api/auth/feed/used", init: { method: "POST" } });
  const body = await new Response(report?.init.body ?? null).text();
  expect(keyUsage.parse(JSON.parse(body))).toMatchObject({ keys: [{ id }] });
  expect(body).not.toContain(key);
  expect(keyring.takeUsage()).toMatchObject([{ id }]);
});
