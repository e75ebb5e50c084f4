import { afterAll, beforeAll, expect, test } from "bun:test";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;

beforeAll(async () => {
  auth = await startAuth({ env: { TOKEN_ISSUER: "https://vitrine.example" } });
});

afterAll(() => auth[Symbol.asyncDispose]());

test("the key set holds public Ed25519 keys only and may be cached for five minutes", async () => {
  const response = await auth.app.request("/.well-known/jwks.json");
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  expect(keys).toHaveLength(1);
  expect(keys[0]).toEqual({
    kty: "OKP",
    crv: "Ed25519",
    x: expect.stringMatching(/^[\w-]{43}$/),
    kid: expect.stringMatching(/^[\w-]{43}$/),
    use: "sig",
    alg: "EdDSA",
  });
});

test("the metadata names the public endpoints under the issuer (RFC 8414)", async () => {
  const response = await auth.app.request("/.well-known/oauth-authorization-server");
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    issuer: "https://vitrine.example",
    token_endpoint: "https://vitrine.example/oauth/token",
    jwks_uri: "https://vitrine.example/.well-known/jwks.json",
    response_types_supported: [],
    grant_types_supported: expect.arrayContaining([
      "client_credentials",
      "urn:ietf:params:oauth:grant-type:token-exchange",
    ]),
    introspection_endpoint: "https://vitrine.example/oauth/introspect",
    revocation_endpoint: "https://vitrine.example/oauth/revoke",
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["EdDSA", "ES256", "PS256", "RS256"],
  });
});
