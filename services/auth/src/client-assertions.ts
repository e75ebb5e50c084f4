import { createHash } from "node:crypto";
import type { Queryable } from "@vitrine/kit/postgres";
import { createLocalJWKSet, decodeJwt, errors as joseErrors, type JSONWebKeySet, jwtVerify } from "jose";
import { z } from "zod";

/** Asymmetric only: nothing we store can sign (RFC 8725 §3.1). */
export const assertionAlgorithms = ["EdDSA", "ES256", "PS256", "RS256"] as const;

const leewaySeconds = 5;
/** An assertion is for one request: one that is good for longer was made to be kept. */
const maxLifetimeSeconds = 300;
const maxLength = 8_192;

const publicKeyTypes = ["OKP", "EC", "RSA"] as const;
const privateMembers = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/** Public keys of a client (RFC 7517 §5); a private one is refused, since it has no business here. */
export const clientKeySet = z.object({
  keys: z
    .array(
      z
        .looseObject({
          kty: z.enum(publicKeyTypes, { error: "must be OKP, EC or RSA" }),
          kid: z.string().max(128).optional(),
        })
        .refine((jwk) => !privateMembers.some((member) => member in jwk), "holds a private key: give the public one"),
    )
    .min(1)
    .max(8),
});

export type ClientKeySet = z.infer<typeof clientKeySet>;

/** Whose assertion it claims to be; nothing of it is verified. */
export function readAssertionSubject(assertion: string): string | undefined {
  if (assertion.length > maxLength) return undefined;
  try {
    return decodeJwt(assertion).sub;
  } catch {
    // Not a JWT at all: the assertion of nobody.
    return undefined;
  }
}

export interface ClientAssertions {
  /**
   * Whether the assertion proves the client (RFC 7523 §3): signed by one of its keys, issued by and about it, meant for
   * us, good for five minutes at most, and not seen before. @throws ServiceError `unavailable`
   */
  prove(clientId: string, keys: ClientKeySet, assertion: string): Promise<boolean>;
}

export interface ClientAssertionOptions {
  readonly database: Queryable;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const provenClaims = z.object({ jti: z.string().min(1).max(256), exp: z.number(), iat: z.number().optional() });

export function createClientAssertions({ database, issuer, now }: ClientAssertionOptions): ClientAssertions {
  const audience = [issuer, new URL("/oauth/token", issuer).href];

  async function verify(clientId: string, keys: ClientKeySet, assertion: string) {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(keys as JSONWebKeySet), {
      algorithms: [...assertionAlgorithms, "Ed25519"],
      issuer: clientId,
      subject: clientId,
      audience,
      clockTolerance: leewaySeconds,
      requiredClaims: ["iss", "sub", "aud", "exp", "jti"],
      currentDate: new Date(now()),
    });
    // Meant for us alone: who else may see it could use it here (RFC 7523 §3, point 3).
    if (Array.isArray(payload.aud) && payload.aud.length !== 1) return undefined;
    const claims = provenClaims.safeParse(payload);
    if (!claims.success) return undefined;
    const nowSeconds = now() / 1_000;
    const { exp, iat = nowSeconds } = claims.data;
    if (exp > nowSeconds + maxLifetimeSeconds + leewaySeconds || iat > nowSeconds + leewaySeconds) return undefined;
    return claims.data;
  }

  /** Keyed by the id, not by the text: a signature has more than one spelling. */
  async function isFirst(clientId: string, jti: string, expSeconds: number): Promise<boolean> {
    await database.query("delete from client_assertions where client_id = $1 and expires_at < $2", [
      clientId,
      new Date(now()),
    ]);
    const added = await database.query(
      `insert into client_assertions (client_id, jti_hash, expires_at) values ($1, $2, $3)
       on conflict do nothing returning client_id`,
      [clientId, createHash("sha256").update(jti).digest(), new Date((expSeconds + 2 * leewaySeconds) * 1_000)],
    );
    return added.length === 1;
  }

  return {
    prove: async (clientId, keys, assertion) => {
      const claims = await verify(clientId, keys, assertion).catch((error: unknown) => {
        if (error instanceof joseErrors.JOSEError || error instanceof TypeError) return undefined;
        throw error;
      });
      return claims !== undefined && (await isFirst(clientId, claims.jti, claims.exp));
    },
  };
}
