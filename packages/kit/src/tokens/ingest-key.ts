import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const prefix = "vik_";
const idForm = /^[0-9a-f]{16}$/;
const keyForm = /^(vik_([0-9a-f]{16})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 43 digits of base 62 hold 256 bits. */
const secretLength = 43;
const checksumLength = 6;

export interface NewIngestKey {
  readonly id: string;
  /** The key itself: shown once, stored nowhere. */
  readonly key: string;
  readonly hash: Uint8Array;
}

export interface ParsedIngestKey {
  readonly id: string;
  readonly hash: Uint8Array;
}

/**
 * Makes an ingest key, `vik_<id>_<secret><checksum>`: a prefix that secret scanners know, a public id to look it up by,
 * 256 random bits, and a CRC-32 that tells a mistyped key from a wrong one without asking anybody.
 */
export function makeIngestKey(id: string = randomBytes(8).toString("hex")): NewIngestKey {
  if (!idForm.test(id)) throw new TypeError("the id of an ingest key has 16 hexadecimal digits");
  const body = `${prefix}${id}_${randomText(secretLength)}`;
  const key = body + checksum(body);
  return { id, key, hash: hashIngestKey(key) };
}

/** Whether a bearer credential is meant to be an ingest key; a JWT never looks like one. */
export function isIngestKey(text: string): boolean {
  return text.startsWith(prefix);
}

/** Id and hash of a well-formed key; `undefined` for any other text. */
export function parseIngestKey(text: string): ParsedIngestKey | undefined {
  const [, body, id, sum] = keyForm.exec(text) ?? [];
  if (body === undefined || id === undefined || checksum(body) !== sum) return undefined;
  return { id, hash: hashIngestKey(text) };
}

/**
 * SHA-256, not a password hash: a key is 256 random bits, so nobody can try likely ones, and a slow hash would only slow
 * every request it stands before (ASVS 6.5.2 asks for one below 112 bits).
 */
function hashIngestKey(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}

function checksum(body: string): string {
  let rest = crc32(body);
  let digits = "";
  for (let place = 0; place < checksumLength; place += 1) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/** Bytes past the last whole multiple of the alphabet are thrown away: every character is equally likely. */
function randomText(length: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
