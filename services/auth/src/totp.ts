import { createHmac, timingSafeEqual } from "node:crypto";

/** Seconds. */
const period = 30;
const digits = 6;
/** Steps a clock may be off, each way (RFC 6238 §5.2 recommends one). */
const slack = 1;

const codeForm = /^\d{6}$/;

export function stepAt(atMs: number): number {
  return Math.floor(atMs / 1_000 / period);
}

/**
 * The code of a time step: HOTP with HMAC-SHA-1 (RFC 4226 §5.3, RFC 6238 §4). Written here: it is shorter than the call
 * of a library, and the vectors of both RFCs prove it.
 */
export function totpCode(seed: Uint8Array, step: number, length = digits): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", seed).update(counter).digest();
  const offset = (mac[mac.length - 1] ?? 0) & 0x0f;
  const truncated = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(truncated % 10 ** length).padStart(length, "0");
}

/**
 * The step a code belongs to: the current one or one beside it, and later than `lastStep`. Each candidate is compared
 * in constant time (ASVS 11.2.4).
 */
export function findStep(seed: Uint8Array, code: string, atMs: number, lastStep: number): number | undefined {
  if (!codeForm.test(code)) return undefined;
  const current = stepAt(atMs);
  let found: number | undefined;
  for (let step = current - slack; step <= current + slack; step += 1) {
    const equal = timingSafeEqual(Buffer.from(totpCode(seed, step)), Buffer.from(code));
    if (equal && step > lastStep) found ??= step;
  }
  return found;
}

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 §6 without padding, as authenticator apps take it. */
export function toBase32(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((group) => base32Alphabet[Number.parseInt(group.padEnd(5, "0"), 2)] ?? "")
    .join("");
}

/** The address an authenticator app reads from the picture (Key URI Format of Google Authenticator). */
export function otpauthUri(seed: Uint8Array, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const parameters = `secret=${toBase32(seed)}&issuer=${encodeURIComponent(issuer)}`;
  return `otpauth://totp/${label}?${parameters}&algorithm=SHA1&digits=${digits}&period=${period}`;
}
