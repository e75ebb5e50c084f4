import { describe, expect, test } from "bun:test";
import type { AccessClaims } from "@vitrine/contracts/auth";
import type { FeedAnswer, IngestKeyRecord } from "@vitrine/contracts/feed";
import { createTestIssuer } from "../testing/tokens.ts";
import { makeIngestKey } from "./ingest-key.ts";
import { createKeyring } from "./keyring.ts";
import { createTokenVerifier } from "./verifier.ts";

const startMs = 1_700_000_000_000;

function world() {
  let atMs = startMs;
  const keyring = createKeyring({ now: () => atMs });
  return { keyring, pass: (ms: number) => (atMs += ms) };
}

function answer(part: Partial<FeedAnswer>): FeedAnswer {
  return { seq: 1, snapshot: false, revocations: [], keys: [], ...part };
}

function revoked(kind: FeedAnswer["revocations"][number]["kind"], id: string, atMs = startMs) {
  return { kind, id, atMs, expiresAtMs: atMs + 900_000 };
}

function made(record: Partial<IngestKeyRecord> = {}): { readonly key: string; readonly record: IngestKeyRecord } {
  const { id, key, hash } = makeIngestKey();
  return {
    key,
    record: {
      id,
      hash: Buffer.from(hash).toString("base64url"),
      clientId: "key:shop",
      scopes: ["logs:write"],
      service: "shop",
      ...record,
    },
  };
}

const claims: AccessClaims = {
  iss: "i",
  aud: "a",
  sub: "anna",
  client_id: "vitrine",
  sid: "session-1",
  jti: "token-1",
  iat: startMs / 1_000,
  exp: startMs / 1_000 + 900,
  scope: "",
};

describe("tokens taken back", () => {
  test.each([
    ["its id", revoked("jti", "token-1"), true],
    ["the id of another", revoked("jti", "token-2"), false],
    ["its session", revoked("session", "session-1"), true],
    ["its person, in the second it was issued", revoked("user", "anna"), true],
    ["its person, before it was issued", revoked("user", "anna", startMs - 1), false],
    ["its client", revoked("client", "vitrine", startMs + 5_000), true],
    ["its client, before it was issued", revoked("client", "vitrine", startMs - 1_000), false],
    ["an ingest key of the same id", revoked("ingest_key", "token-1"), false],
    ["the key that signed it, whenever that was", revoked("signing_key", "key-1", startMs - 5_000), true],
    ["another signing key", revoked("signing_key", "key-2"), false],
  ])("a token is refused by %s: %#", (_, revocation, expected) => {
    const { keyring } = world();
    keyring.apply(answer({ revocations: [revocation] }));
    expect(keyring.isRevoked(claims, "key-1")).toBe(expected);
  });

  test("of two revocations of a person the later one holds, whatever their order", () => {
    const { keyring } = world();
    const revocations = [revoked("user", "anna", startMs + 5_000), revoked("user", "anna", startMs - 5_000)];
    keyring.apply(answer({ revocations }));
    expect(keyring.isRevoked(claims, "key-1")).toBe(true);
  });

  test("a revocation is remembered until no verifier would take the token, then forgotten", () => {
    const { keyring, pass } = world();
    keyring.apply(answer({ revocations: [revoked("jti", "token-1")] }));
    pass(959_000);
    keyring.apply(answer({}));
    expect(keyring.isRevoked(claims, "key-1")).toBe(true);
    pass(61_000);
    keyring.apply(answer({}));
    expect(keyring.size()).toEqual({ revocations: 0, keys: 0 });
  });

  test("a snapshot replaces what was known", () => {
    const { keyring } = world();
    const { key, record } = made();
    keyring.apply(answer({ revocations: [revoked("jti", "token-1")], keys: [record] }));
    keyring.apply(answer({ snapshot: true, revocations: [revoked("jti", "token-2")] }));
    expect(keyring.isRevoked(claims, "key-1")).toBe(false);
    expect(() => keyring.identify(key)).toThrow(expect.objectContaining({ reason: "unknown_key" }));
  });
});

describe("ingest keys", () => {
  test("a key has the scopes, client and service it was made for, and its id as token id", () => {
    const { keyring } = world();
    const { key, record } = made({ expiresAtMs: startMs + 1_000 });
    keyring.apply(answer({ keys: [record] }));
    expect(keyring.identify(key)).toEqual({
      iss: "vitrine",
      aud: "vitrine",
      sub: "key:shop",
      client_id: "key:shop",
      jti: record.id,
      iat: 0,
      exp: startMs / 1_000 + 1,
      scope: "logs:write",
      service: "shop",
    });
  });

  test("a key for a prefix says so instead of a service", () => {
    const { keyring } = world();
    const { key, record } = made({ servicePrefix: "shop-" });
    const { service: _, ...prefixed } = record;
    keyring.apply(answer({ keys: [prefixed] }));
    expect(keyring.identify(key)).toMatchObject({ service_prefix: "shop-" });
    expect(keyring.identify(key)).not.toHaveProperty("service");
  });

  test("a key is refused once its time has come, when it is revoked, and with the secret of another", () => {
    const { keyring, pass } = world();
    const expiring = made({ expiresAtMs: startMs + 1_000 });
    const ended = made();
    keyring.apply(answer({ keys: [expiring.record, ended.record] }));
    const forged = makeIngestKey(ended.record.id);
    expect(() => keyring.identify(forged.key)).toThrow(expect.objectContaining({ reason: "unknown_key" }));
    keyring.apply(answer({ revocations: [revoked("ingest_key", ended.record.id)] }));
    expect(() => keyring.identify(ended.key)).toThrow(expect.objectContaining({ reason: "revoked", status: 401 }));
    pass(1_000);
    expect(() => keyring.identify(expiring.key)).toThrow(expect.objectContaining({ reason: "expired" }));
    expect(() => keyring.identify("vik_nonsense")).toThrow(expect.objectContaining({ reason: "malformed_token" }));
  });

  test("while the feed is away known keys work, revoked ones do not, and an unknown one may be new: 503", () => {
    const { keyring, pass } = world();
    const fresh = makeIngestKey().key;
    expect(keyring.ageMs()).toBe(Number.POSITIVE_INFINITY);
    expect(() => keyring.identify(fresh)).toThrow(expect.objectContaining({ code: "unavailable" }));
    const known = made();
    const ended = made();
    keyring.apply(answer({ keys: [known.record], revocations: [revoked("ingest_key", ended.record.id)] }));
    pass(600_000);
    expect(keyring.ageMs()).toBe(600_000);
    expect(keyring.identify(known.key)).toMatchObject({ jti: known.record.id });
    expect(() => keyring.identify(ended.key)).toThrow(expect.objectContaining({ reason: "revoked" }));
    expect(() => keyring.identify(fresh)).toThrow(expect.objectContaining({ code: "unavailable", status: 503 }));
  });

  test("a verifier that accepts keys takes both kinds, each by its own rules", async () => {
    const issuer = await createTestIssuer();
    const { keyring } = world();
    const { key, record } = made();
    keyring.apply(answer({ keys: [record] }));
    const verifier = keyring.accept(issuer.verifier);
    expect(await verifier.verify(key)).toMatchObject({ client_id: "key:shop" });
    expect(await verifier.verify(await issuer.sign("orders:read"))).toMatchObject({ scope: "orders:read" });
    await expect(verifier.verify(`${key}x`)).rejects.toMatchObject({ code: "invalid_token" });
  });

  test("which keys were used is told once, and again when it could not be delivered", () => {
    const { keyring, pass } = world();
    const { key, record } = made();
    keyring.apply(answer({ keys: [record] }));
    keyring.identify(key);
    const first = keyring.takeUsage();
    expect(first).toEqual([{ id: record.id, usedAtMs: startMs }]);
    expect(keyring.takeUsage()).toEqual([]);
    pass(1_000);
    keyring.identify(key);
    keyring.returnUsage(first);
    expect(keyring.takeUsage()).toEqual([{ id: record.id, usedAtMs: startMs + 1_000 }]);
  });
});

test("a verifier asks for revocation on every use of a token it knows, and never about a forged one", async () => {
  const issuer = await createTestIssuer();
  const { keyring } = world();
  const asked: string[] = [];
  const verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    jwksUrl: "http://auth.test/.well-known/jwks.json",
    fetch: issuer.jwksFetch,
    isRevoked: (claims, kid) => {
      asked.push(claims.jti);
      return keyring.isRevoked(claims, kid);
    },
  });
  const token = await issuer.sign("orders:read", { jti: "token-1" });
  await verifier.verify(token);
  await expect(verifier.verify(`${token.slice(0, -4)}AAAA`)).rejects.toMatchObject({ code: "invalid_token" });
  keyring.apply(answer({ revocations: [revoked("jti", "token-1")] }));
  for (let again = 0; again < 2; again += 1)
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: "revoked", status: 401 });
  expect(verifier.recall?.(token)).toBeUndefined();
  expect(asked).toEqual(["token-1", "token-1", "token-1", "token-1"]);
});
