import { randomInt } from "node:crypto";
import type { Passwords } from "./passwords.ts";

export const backupCodeCount = 10;

/** Crockford's base32: nothing in it is read as something else. Twelve characters are 60 random bits. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const groups = 3;
const groupLength = 4;

const codeForm = /^(\d)-?([0-9a-z]{4})-?([0-9a-z]{4})-?([0-9a-z]{4})$/;

export interface BackupCode {
  /** Which of the ten it is. */
  readonly number: number;
  readonly secret: string;
}

/** Ten codes as their owner writes them down: `3-x7kq-m2bd-99vt`. */
export function makeBackupCodes(): readonly string[] {
  return Array.from({ length: backupCodeCount }, (_, number) =>
    [String(number), ...Array.from({ length: groups }, randomGroup)].join("-"),
  );
}

function randomGroup(): string {
  return Array.from({ length: groupLength }, () => alphabet[randomInt(alphabet.length)] ?? "").join("");
}

/** Reads a code however it was typed; `undefined` when it is none. */
export function parseBackupCode(text: string): BackupCode | undefined {
  const [whole, number, ...rest] = codeForm.exec(text.trim().toLowerCase().replaceAll(" ", "")) ?? [];
  return whole === undefined ? undefined : { number: Number(number), secret: rest.join("") };
}

/** Less than 112 bits are hashed like a password (ASVS 6.5.2). */
export function hashBackupCodes(passwords: Passwords, codes: readonly string[]): Promise<readonly string[]> {
  return Promise.all(codes.map((code) => passwords.hash(parseBackupCode(code)?.secret ?? code)));
}
