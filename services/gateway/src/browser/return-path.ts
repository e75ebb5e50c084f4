const maxLength = 2_048;

/** Visible ASCII, without what browsers read as another separator, a scheme or a host. */
const pathForm = /^\/(?:[!-.0-[\]-~][!-[\]-~]*)?$/;

/**
 * A path of our own that a browser may be sent to after signing in, or `undefined` (RFC 9700 §4.11, ASVS 3.7.2). Parsed
 * the way a browser does, and taken only if that leaves it as it was: `//host`, `/\host`, `/%09/host`, `/a/../..//host`
 * and the like never come through.
 */
export function parseReturnPath(value: string): string | undefined {
  if (value.length > maxLength || !pathForm.test(value)) return undefined;
  const here = "http://here.invalid";
  const parsed = URL.parse(value, here);
  if (parsed?.origin !== here || parsed.pathname + parsed.search !== value) return undefined;
  return /^\/(?:%09|%0[ad]|%2f|%5c)/i.test(value) ? undefined : value;
}

/** Where a browser is sent that opened a page without a session. */
export function loginLocation(login: string, requested: string): string {
  const path = parseReturnPath(requested);
  return path === undefined || path === "/" ? login : `${login}?return=${encodeURIComponent(path)}`;
}
