import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Base64url characters of the 32 random bytes a client secret has at least. */
export const minSecretLength = 43;

/**
 * SHA-256 is enough for a client secret: it is at least 32 random bytes, so no guessing of likely values helps and a
 * slow hash would only slow every token request.
 */
export function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

const nobodysHash = randomBytes(32);

/** Compares in constant time (ASVS 11.2.4), and does the same work for a client that does not exist. */
export function isSecretOf(hash: Uint8Array | undefined, secret: string): boolean {
  const equal = timingSafeEqual(hashSecret(secret), hash ?? nobodysHash);
  return equal && hash !== undefined;
}
