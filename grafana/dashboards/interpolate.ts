/** What the names in a text stand for; a list is what a variable of several values was set to, empty for all. */
export type Scope = Readonly<Record<string, string | readonly string[]>>;

/**
 * Puts values in the place of `$name`, `${name}` and `${label.name}`. A list becomes a regular expression whose special
 * characters are escaped twice, once for the expression and once for the string it stands in, as Grafana does. A name
 * that the scope lacks stays as it is.
 */
export function interpolate(text: string, scope: Scope): string {
  return text.replaceAll(/\$(?:\{([\w.]+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const value = scope[braced ?? bare ?? ""];
    if (value === undefined) return whole;
    return typeof value === "string" ? value : toPattern(value);
  });
}

function toPattern(values: readonly string[]): string {
  const escaped = values.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\\$&`));
  if (escaped.length === 0) return ".+";
  return escaped.length === 1 ? escaped.join("") : `(${escaped.join("|")})`;
}

/** `{{label}}` replaced by the label's value; a label that is missing is shown as nothing. */
export function legendOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replaceAll(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim();
}
