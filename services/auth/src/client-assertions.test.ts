import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clientAssertionType } from "@vitrine/contracts/auth";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { basic, newSecret, startAuth, type TestAuth, testConfig } from "./testing/start-auth.ts";

const algorithms = ["EdDSA", "ES256", "PS256", "RS256"] as const;
type Algorithm = (typeof algorithms)[number];

async function makeKey(algorithm: Algorithm) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { algorithm, kid, privateKey, publicJwk: { ...jwk, kid }, privateJwk: await exportJWK(privateKey) };
}

type Key = Awaited<ReturnType<typeof makeKey>>;

let keys: Readonly<Record<Algorithm, Key>>;
let foreign: Key;
let auth: TestAuth;
const secret = newSecret();

beforeAll(async () => {
  const [eddsa, es, ps, rs] = await Promise.all(algorithms.map(makeKey));
  if (eddsa === undefined || es === undefined || ps === undefined || rs === undefined) throw new Error("no keys");
  keys = { EdDSA: eddsa, ES256: es, PS256: ps, RS256: rs };
  foreign = await makeKey("EdDSA");
  const postgres = await startPostgres();
  const jwks = { keys: Object.values(keys).map(({ publicJwk }) => publicJwk) };
  const config = await testConfig(postgres.url, {}, [
    { clientId: "billing", clientJwks: jwks, service: "billing", scopes: ["traces:write"] },
    { clientId: "other", clientJwks: { keys: [foreign.publicJwk] }, scopes: ["traces:write"] },
    { clientId: "secretive", clientSecret: secret, scopes: ["traces:write"] },
  ]);
  auth = await startAuth({ postgres, config });
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

function claims(change: JWTPayload = {}): JWTPayload {
  return {
    iss: "billing",
    sub: "billing",
    aud: "http://localhost:8080",
    jti: crypto.randomUUID(),
    exp: nowSeconds() + 60,
    ...change,
  };
}

function sign(payload: JWTPayload, key: Key = keys.EdDSA, header: object = {}): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header }).sign(key.privateKey);
}

async function ask(assertion: string, form: Readonly<Record<string, string>> = {}, authorization?: string) {
  const response = await auth.token(
    {
      grant_type: "client_credentials",
      client_assertion_type: clientAssertionType,
      client_assertion: assertion,
      ...form,
    },
    authorization,
  );
  const body = (await response.json()) as { readonly error?: string; readonly access_token?: string };
  return { status: response.status, error: body.error, token: body.access_token };
}

describe("a client that proves itself by its own key", () => {
  test.each(algorithms)("gets a token for an assertion signed with %s", async (algorithm) => {
    const { status, token = "" } = await ask(await sign(claims(), keys[algorithm]));
    expect(status).toBe(200);
    expect(await auth.verifier.verify(token)).toMatchObject({ sub: "billing", service: "billing" });
  });

  test.each(algorithms)("gets one by the kit's token source with its %s key", async (algorithm) => {
    const { kid, privateJwk } = keys[algorithm];
    const source = createTokenSource({
      tokenUrl: "http://auth.test/oauth/token",
      clientId: "billing",
      clientKey: { jwk: { ...privateJwk, kid, alg: algorithm }, audience: auth.config.tokens.issuer },
      fetch: async (url, init) => auth.app.request(url, init),
    });
    expect(await auth.verifier.verify(await source.get())).toMatchObject({ sub: "billing", service: "billing" });
    source.forget();
    expect(await auth.verifier.verify(await source.get())).toMatchObject({ sub: "billing" });
  });

  test.each([
    ["the token endpoint", "http://localhost:8080/oauth/token"],
    ["a list of one", ["http://localhost:8080"]],
  ])("may address %s", async (_, aud) => {
    expect((await ask(await sign(claims({ aud })))).status).toBe(200);
  });

  test("is refused the second time it shows the same assertion, and of many at once one counts", async () => {
    const assertion = await sign(claims());
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await ask(assertion)).toMatchObject({ status: 401, error: "invalid_client" });
  });

  test("is refused for another assertion with a used id, and another client may use that id", async () => {
    const jti = crypto.randomUUID();
    expect((await ask(await sign(claims({ jti })))).status).toBe(200);
    expect((await ask(await sign(claims({ jti, exp: nowSeconds() + 90 })))).status).toBe(401);
    expect((await ask(await sign(claims({ jti, iss: "other", sub: "other" }), foreign))).status).toBe(200);
  });

  test.each<[string, JWTPayload]>([
    ["another audience", { aud: "https://elsewhere.example" }],
    ["a second audience", { aud: ["http://localhost:8080", "https://elsewhere.example"] }],
    ["another issuer", { iss: "other" }],
    ["another subject", { sub: "secretive" }],
    ["a client nobody knows", { iss: "nobody", sub: "nobody" }],
    ["an expiry in the past", { exp: nowSeconds() - 60 }],
    ["more than five minutes to live", { exp: nowSeconds() + 400 }],
    ["a start in the future", { nbf: nowSeconds() + 60 }],
    ["a time of issue in the future", { iat: nowSeconds() + 60 }],
    ["an empty id", { jti: "" }],
  ])("is refused with %s, as if it were not known", async (_, change) => {
    expect(await ask(await sign(claims(change)))).toEqual({ status: 401, error: "invalid_client", token: undefined });
  });

  test.each(["iss", "sub", "aud", "exp", "jti"])("is refused without the claim %s", async (name) => {
    const { [name]: _, ...rest } = claims();
    expect(await ask(await sign(rest))).toMatchObject({ status: 401, error: "invalid_client" });
  });

  test("is refused with the key of another client, with none, with a shared secret and with text", async () => {
    const none = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${btoa(JSON.stringify(claims())).replaceAll("=", "")}.`;
    const hmac = await new SignJWT(claims())
      .setProtectedHeader({ alg: "HS256", kid: keys.EdDSA.kid })
      .sign(new TextEncoder().encode(JSON.stringify(keys.EdDSA.publicJwk)));
    const embedded = await sign(claims(), foreign, { jwk: foreign.publicJwk });
    for (const assertion of [await sign(claims(), foreign), none, hmac, embedded, "a.b.c", "text", "x".repeat(10_000)])
      expect(await ask(assertion)).toMatchObject({ status: 401, error: "invalid_client" });
  });

  test("names one client and uses one way", async () => {
    expect(await ask(await sign(claims()), { client_id: "other" })).toMatchObject({ status: 400 });
    expect(await ask(await sign(claims()), { client_secret: secret })).toMatchObject({ status: 400 });
    expect(await ask(await sign(claims()), {}, basic("billing", secret))).toMatchObject({ status: 400 });
    expect(await ask(await sign(claims()), { client_assertion_type: "urn:other" })).toMatchObject({ status: 400 });
    expect((await ask(await sign(claims()), { client_id: "billing" })).status).toBe(200);
  });
});

test("a client with keys has no secret that could be guessed, and one with a secret no keys", async () => {
  for (const guess of ["", "null", "undefined"])
    expect((await auth.token({ grant_type: "client_credentials" }, basic("billing", guess))).status).toBe(401);
  const assertion = await sign(claims({ iss: "secretive", sub: "secretive" }));
  expect(await ask(assertion)).toMatchObject({ status: 401, error: "invalid_client" });
});

test("a private key, a shared one or none among a client's keys is a fault of the configuration, and is not repeated", async () => {
  const { d = "" } = keys.EdDSA.privateJwk;
  const refused = testConfig(auth.postgres.url, {}, [
    { clientId: "one", clientJwks: { keys: [keys.EdDSA.privateJwk] }, scopes: ["traces:write"] },
    { clientId: "two", clientJwks: { keys: [{ kty: "oct", k: "c2VjcmV0" }] }, scopes: ["traces:write"] },
    { clientId: "three", clientJwks: { keys: [] }, scopes: ["traces:write"] },
  ]);
  const fault = await refused.then(
    () => "",
    (error: unknown) => String(error),
  );
  expect(fault).toContain("entry 1 (one), clientJwks.keys.0: holds a private key: give the public one");
  expect(fault).toContain("entry 2 (two), clientJwks.keys.0.kty: must be OKP, EC or RSA");
  expect(fault).toContain("entry 3 (three), clientJwks.keys:");
  expect(fault).not.toContain(d);
});
