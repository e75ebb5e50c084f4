/** The one form of a request target that is matched and forwarded: nothing in it is decoded, resolved or repaired. */
export interface Target {
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

/** Bun has resolved `.`, `..`, `%2e%2e` and `\` by now, which `bindings.asWritten` tells; what else is doubtful is left. */
const targetForm = /^https?:\/\/[A-Za-z0-9._~:[\]-]+(\/[^?#]*)(\?[^#]*)?$/;

/** RFC 3986 `pchar` without `;`, whose parameters some servers cut off before they match. */
const segmentForm = /^(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})+$/;

/**
 * What a percent-encoding must not hide, nor what it normalises to: separators, dots, `%` itself, controls, characters
 * nobody sees, what needs no encoding, and U+FFFD, which Bun puts in the place of bytes that are no UTF-8.
 */
const hidden = /[/\\;?#%.\p{Cc}\p{Cf}\uFFFDA-Za-z0-9_~-]/u;

const triplets = /(?:%[0-9A-Fa-f]{2})+/g;

/**
 * Reads a request's address as Bun gives it. Refused (`undefined`): encoded separators, dots, NUL and controls, `//`
 * and a trailing slash, dot segments, `\`, `;`, a fragment, needless encodings, what normalises to any of these (a
 * full-width slash), broken UTF-8, more than one `Host`.
 *
 * The path that is returned is what is compared with the table and what is sent on (RFC 3986 §6.2.2, ASVS 1.5.3).
 */
export function parseTarget(url: string, host: string | undefined): Target | undefined {
  if (host !== undefined && /[,\s]/.test(host)) return undefined;
  const [, path, query = ""] = targetForm.exec(url) ?? [];
  if (path === undefined) return undefined;
  if (path === "/") return { path, query };
  return path.slice(1).split("/").every(isCanonicalSegment) ? { path, query } : undefined;
}

function isCanonicalSegment(segment: string): boolean {
  if (segment === "." || segment === ".." || !segmentForm.test(segment)) return false;
  if (!segment.includes("%")) return true;
  try {
    return (
      segment.match(triplets)?.every((encoded) => !hidden.test(decodeURIComponent(encoded).normalize("NFKC"))) ?? true
    );
  } catch {
    // Not UTF-8: overlong forms of `/` and `.` are among these.
    return false;
  }
}
