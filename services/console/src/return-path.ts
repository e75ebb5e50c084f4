const maxLength = 2_048;
const here = "http://here.invalid";

/** A path of ours to go to after signing in; anything a browser could read as another place is `undefined`. */
export function parseReturnPath(value: string | undefined): string | undefined {
  if (value === undefined || value.length > maxLength || !/^\/(?![/\\])[!-[\]-~]*$/.test(value)) return undefined;
  const parsed = URL.parse(value, here);
  return parsed?.origin === here && parsed.pathname + parsed.search === value ? value : undefined;
}
