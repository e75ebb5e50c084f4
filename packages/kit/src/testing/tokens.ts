import type { AccessClaims } from "@vitrine/contracts/auth";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { createTokenVerifier, type TokenVerifier } from "../tokens/verifier.ts";

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** Answers as the auth service's key set does; pass it as `fetch`. */
  readonly jwksFetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly verifier: TokenVerifier;
  /** Signs a token for `sub` "anna" with the given scope; `claims` and `header` override anything. */
  sign(
    scope: string,
    claims?: Partial<AccessClaims> & Record<string, unknown>,
    header?: Partial<JWTHeaderParameters>,
  ): Promise<string>;
}

/** A real EdDSA issuer with one key, for tests of what stands behind a token. */
export async function createTestIssuer(options: { readonly now?: () => number } = {}): Promise<TestIssuer> {
  const now = options.now ?? Date.now;
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", {
    crv: "Ed25519",
    extractable: true,
  });
  const keySet = JSON.stringify({
    keys: [
      {
        ...(await exportJWK(publicKey)),
        kid: "test-key",
        use: "sig",
        alg: "EdDSA",
      },
    ],
  });
  const issuer = "http://localhost:8080";
  const audience = "vitrine";
  const jwksFetch = async () => new Response(keySet, { headers: { "content-type": "application/json" } });
  return {
    issuer,
    audience,
    jwksFetch,
    verifier: createTokenVerifier({
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      issuer,
      audience,
      fetch: jwksFetch,
      now,
    }),
    sign: (scope, claims = {}, header = {}) => {
      const issuedAt = Math.floor(now() / 1_000);
      return new SignJWT({
        iss: issuer,
        sub: "anna",
        aud: audience,
        iat: issuedAt,
        exp: issuedAt + 900,
        jti: crypto.randomUUID(),
        client_id: "test-client",
        scope,
        ...claims,
      })
        .setProtectedHeader({
          alg: "EdDSA",
          typ: "at+jwt",
          kid: "test-key",
          ...header,
        })
        .sign(privateKey);
    },
  };
}
