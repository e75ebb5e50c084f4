import { dictionary } from "@zxcvbn-ts/language-common";

/** Shorter ones cannot be registered at all; see `newPassword`. */
const minLength = 8;

const common: ReadonlySet<string> = new Set(
  dictionary["passwords-common"].filter((password) => password.length >= minLength),
);

/**
 * Whether guessers try this password first: it is among the common and breached ones, in any case, or is the name
 * itself (NIST SP 800-63B §5.1.1.2, ASVS 6.2.4 and 6.2.11).
 */
export function isGuessable(password: string, name: string): boolean {
  const lower = password.normalize("NFKC").toLowerCase();
  return common.has(lower) || lower === name.toLowerCase();
}
