import { type AccessClaims, accessClaims } from "@vitrine/contracts/auth";
import { type CryptoKey, errors as joseErrors, jwtVerify } from "jose";
import { ServiceError } from "../errors.ts";
import { createKeySet, type KeySet, type KeySetOptions } from "./key-set.ts";
import { refused } from "./refusal.ts";

export type { AccessClaims } from "@vitrine/contracts/auth";

export interface TokenVerifierOptions extends KeySetOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Asked on every verification, of a known token too, with the id of its key: see `createKeyring`. Must not throw. */
  readonly isRevoked?: (claims: AccessClaims, kid: string) => boolean;
}

export interface TokenVerifier {
  /**
   * Verifies an access token (RFC 9068 §4) and returns its claims.
   * @throws ServiceError `invalid_token` with a `TokenRefusal` as `reason`; `unavailable` (never a pass, never a
   * 401) when no key could be had to judge it by
   */
  verify(token: string): Promise<AccessClaims>;
  /** The claims of a token that was verified before and is good still; `undefined` for all that only `verify` can tell. */
  recall?(token: string): AccessClaims | undefined;
  /** Loads the keys once. @throws ServiceError `unavailable` */
  ready(): Promise<void>;
}

/** EdDSA only: the list is ours, never the token's (RFC 8725 §3.1). */
const algorithms = ["EdDSA", "Ed25519"];

/** Clock difference allowed between issuer and us, in seconds; RFC 8725 and ASVS 9.2.1 allow at most 60. */
const leewaySeconds = 5;

/** A token that claims to live longer than this was not issued by our auth service. */
const maxLifetimeSeconds = 3_600;

const maxTokenLength = 8_192;
const maxCachedTokens = 10_000;

/** Compact JWS of exactly three base64url parts (RFC 7515 §7.1). */
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** A verifier that tells how old its key set is, in milliseconds; keys are asked for anew after five minutes. */
export interface JwtVerifier extends TokenVerifier {
  keysAgeMs(): number;
}

export function createTokenVerifier(options: TokenVerifierOptions): JwtVerifier {
  const now = options.now ?? Date.now;
  const keys = createKeySet(options);
  // Keyed by the whole text: an altered copy of a token never finds the entry of the original.
  const verified = new Map<string, Verified>();

  return {
    verify: async (token) => {
      const cached = verified.get(token);
      if (cached !== undefined) {
        if (now() >= (cached.claims.exp + leewaySeconds) * 1_000) {
          verified.delete(token);
          throw refused("expired");
        }
        // A key that was taken back, or replaced under its id, ends the tokens it signed.
        if ((await keys.find(cached.kid)) === cached.key) return unlessRevoked(cached, options);
      }
      const fresh = await verifyToken(token, keys, options, now);
      if (verified.size >= maxCachedTokens) verified.delete(verified.keys().next().value ?? "");
      verified.set(token, fresh);
      return unlessRevoked(fresh, options);
    },
    recall: (token) => {
      const known = verified.get(token);
      if (known === undefined || now() >= (known.claims.exp + leewaySeconds) * 1_000) return undefined;
      if (!keys.holds(known.kid, known.key) || isRevoked(known, options)) return undefined;
      return known.claims;
    },
    ready: () => keys.load(),
    keysAgeMs: () => keys.ageMs(),
  };
}

function unlessRevoked(token: Verified, options: TokenVerifierOptions): AccessClaims {
  if (isRevoked(token, options)) throw refused("revoked");
  return token.claims;
}

function isRevoked({ claims, kid }: Verified, options: TokenVerifierOptions): boolean {
  return options.isRevoked?.(claims, kid) === true;
}

interface Verified {
  readonly claims: AccessClaims;
  readonly kid: string;
  readonly key: CryptoKey;
}

async function verifyToken(
  token: string,
  keys: KeySet,
  options: TokenVerifierOptions,
  now: () => number,
): Promise<Verified> {
  if (token.length > maxTokenLength || !compactForm.test(token) || !isCanonical(token))
    throw refused("malformed_token");
  const { payload, protectedHeader, key } = await jwtVerify(token, (header) => keys.find(header.kid), {
    algorithms,
    typ: "at+jwt",
    issuer: options.issuer,
    audience: options.audience,
    clockTolerance: leewaySeconds,
    requiredClaims: ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"],
    currentDate: new Date(now()),
  }).catch((error: unknown) => {
    throw toRefusal(error);
  });
  const claims = accessClaims.safeParse(payload);
  if (!claims.success) throw refused("missing_claim");
  if (claims.data.iat > now() / 1_000 + leewaySeconds) throw refused("not_yet_valid");
  if (claims.data.exp - claims.data.iat > maxLifetimeSeconds) throw refused("expired");
  return { claims: Object.freeze(claims.data), kid: protectedHeader.kid ?? "", key };
}

/** Unused bits in the last character of a part make two texts of one token; only the canonical one is taken. */
function isCanonical(token: string): boolean {
  return token.split(".").every((part) => Buffer.from(part, "base64url").toString("base64url") === part);
}

function toRefusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof joseErrors.JWTExpired) return refused("expired");
  if (error instanceof joseErrors.JWTClaimValidationFailed) {
    if (error.reason === "missing" || error.reason === "invalid") return refused("missing_claim");
    switch (error.claim) {
      case "iss":
        return refused("wrong_issuer");
      case "aud":
        return refused("wrong_audience");
      case "typ":
        return refused("wrong_type");
      case "nbf":
      case "iat":
        return refused("not_yet_valid");
      default:
        return refused("missing_claim");
    }
  }
  if (error instanceof joseErrors.JWSSignatureVerificationFailed) return refused("bad_signature");
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return refused("bad_signature");
  return refused("malformed_token");
}
