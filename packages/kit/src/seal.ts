import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const algorithm = "aes-256-gcm";
const layoutVersion = 1;
const ivBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + ivBytes + tagBytes;

/** What was sealed cannot be opened: another key, another context, or altered bytes. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under a 32-byte key, as version, 96-bit random IV, tag, ciphertext.
 * `context` is bound in: a sealed value moved to another row does not open there.
 */
export function seal(key: Uint8Array, plaintext: string, context: string): Uint8Array {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  return Buffer.concat([Uint8Array.of(layoutVersion), iv, cipher.getAuthTag(), ciphertext]);
}

/** Opens what {@link seal} made. @throws SealError */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): string {
  if (sealed.length <= headerBytes || sealed[0] !== layoutVersion) throw new SealError("not a sealed value");
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + ivBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(1 + ivBytes, headerBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headerBytes)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new SealError("the sealed value does not open with this key", { cause });
  }
}
