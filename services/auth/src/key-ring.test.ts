import { describe, expect, test } from "bun:test";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { decodeProtectedHeader } from "jose";
import { makeSigningKey, pickSigningKey } from "./key-ring.ts";
import { unseal } from "@vitrine/kit/seal";
import { createSigningKeyStore, type StoredSigningKey } from "./store/signing-keys.ts";
import {
  basic,
  newSecret,
  readToken,
  startAuth,
  type TestAuth,
  testConfig,
  testSecrets,
  wireAuth,
} from "./testing/start-auth.ts";

async function issueToken(auth: TestAuth): Promise<string> {
  const response = await auth.token({ grant_type: "client_credentials" }, basic("orders", testSecrets.orders));
  return (await readToken(response)).access_token;
}

async function publishedKids(auth: TestAuth): Promise<readonly string[]> {
  return (await auth.keys.publicKeys()).map(({ kid }) => kid);
}

describe("keys at rest", () => {
  test("the private key is stored encrypted: nothing of it can be read from the row", async () => {
    await using auth = await startAuth();
    const [stored] = await createSigningKeyStore(auth.database).all();
    if (stored === undefined) throw new Error("no key was stored");
    const { d } = JSON.parse(unseal(auth.config.keyEncryptionKey, stored.sealedPrivateJwk, stored.kid)) as {
      d: string;
    };
    const [row] = await auth.database.query<{ text: string; sealed: Buffer }>(
      "select signing_keys::text as text, sealed_private_jwk as sealed from signing_keys",
    );
    expect(d).toHaveLength(43);
    for (const encoding of ["latin1", "hex", "base64", "base64url"] as const) {
      const bytes = row?.sealed.toString(encoding);
      expect(bytes).not.toContain(d);
      expect(bytes).not.toContain(Buffer.from(d, "base64url").toString(encoding));
    }
    expect(row?.text).not.toContain(d);
    expect(row?.text).not.toContain('"d"');
  });

  test("under another encryption key nothing is issued, no new key is made, and the fault names the variable", async () => {
    await using auth = await startAuth();
    const config = await testConfig(auth.postgres.url, { KEY_ENCRYPTION_KEY: newSecret() });
    await using other = await wireAuth({ postgres: auth.postgres, config });
    await expect(other.prepare()).rejects.toThrow("KEY_ENCRYPTION_KEY does not open signing key");
    expect(await createSigningKeyStore(auth.database).all()).toHaveLength(1);
  });
});

describe("rotation with overlap", () => {
  function key(kid: string, notBeforeMs: number, retiredAtMs?: number): StoredSigningKey {
    return {
      kid,
      publicJwk: { kty: "OKP", crv: "Ed25519", x: "", kid, use: "sig", alg: "EdDSA" },
      sealedPrivateJwk: new Uint8Array(),
      notBeforeMs,
      retiredAtMs,
    };
  }

  test.each([
    ["before any", [key("a", 100)], 99, undefined],
    ["at its time", [key("a", 100)], 100, "a"],
    ["before its successor", [key("a", 100), key("b", 200)], 199, "a"],
    ["from its successor's time on", [key("b", 200), key("a", 100, 300)], 200, "b"],
    ["when the successor is retired", [key("a", 100), key("b", 200, 250)], 250, "a"],
    ["when all are retired", [key("a", 100, 150)], 150, undefined],
  ])("the key that signs: %s", (_, keys, atMs, kid) => {
    expect(pickSigningKey(keys, atMs)?.kid).toBe(kid as string);
  });

  test("a new key is published before it signs, the old one until it retires, and no valid token is refused", async () => {
    let now = Date.now();
    await using auth = await startAuth({ now: () => now });
    const [first = ""] = await publishedKids(auth);
    const second = await makeSigningKey(auth.config.keyEncryptionKey, now + 400_000);
    await createSigningKeyStore(auth.database).add(second);
    await auth.database.query("update signing_keys set retired_at = $1 where kid = $2", [
      new Date(now + 400_000 + 1_000_000),
      first,
    ]);
    const verifier = createTokenVerifier({
      ...auth.config.tokens,
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      fetch: async () => auth.app.request("/.well-known/jwks.json"),
      now: () => now,
    });

    now += 61_000;
    expect(await publishedKids(auth)).toContainAllValues([first, second.kid]);
    expect(decodeProtectedHeader(await issueToken(auth)).kid).toBe(first);

    now += 338_000;
    const old = await issueToken(auth);
    now += 2_000;
    const fresh = await issueToken(auth);
    expect(decodeProtectedHeader(old).kid).toBe(first);
    expect(decodeProtectedHeader(fresh).kid).toBe(second.kid);
    now += 890_000;
    expect(await verifier.verify(old)).toMatchObject({ sub: "orders" });
    expect(await verifier.verify(fresh)).toMatchObject({ sub: "orders" });

    now += 200_000;
    expect(await publishedKids(auth)).toEqual([second.kid]);
  });
});
