/** How values are written on every page. */

/** A duration of so many milliseconds, in the unit that reads best. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0.001) return "0";
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function count(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 || Number.isInteger(value) ? plain.format(value) : precise.format(value);
}

/** How often in a second, so that a column of them is read at a glance. */
export function perSecond(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value > 0 && value < 0.01) return "< 0.01";
  return value >= 100 ? plain.format(value) : value.toFixed(2);
}

export function percent(ratio: number): string {
  if (!Number.isFinite(ratio)) return "–";
  const value = ratio * 100;
  return `${Math.abs(value) >= 99.995 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(Math.abs(value) < 1 ? 2 : 1)} %`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  return `${precise.format(value / 1_024 ** power)} ${units[power] ?? "B"}`;
}

/** An amount of minor units, as `PriceSpecification` people expect: 1250000 EUR is €12,500. */
export function money(minor: number, currency: string): string {
  return new Intl.NumberFormat("en", { style: "currency", currency, maximumFractionDigits: 0 }).format(minor / 100);
}

/** `2026-11-21 07:12:48.429`, UTC. */
export function instant(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().replace("T", " ").replace("Z", "") : "–";
}

export function Time({ ms, day = true }: { readonly ms: number; readonly day?: boolean }) {
  const text = instant(ms);
  if (text === "–") return <>–</>;
  return (
    <time datetime={new Date(ms).toISOString()} title={`${text} UTC`}>
      {day ? text.slice(0, 19) : text.slice(11)}
    </time>
  );
}

/** Characters of a text that are shown; what is longer is data nobody reads in a table. */
const maxShown = 4_000;

// oxlint-disable-next-line no-control-regex -- these are what it looks for
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g;

/**
 * A text of unknown origin, made fit to be shown: long ones cut, and characters that hide, reorder or imitate others
 * written out, so that what is read is what is there.
 */
export function visible(text: string, max: number = maxShown): string {
  const shown = text.length > max ? text.slice(0, max) : text;
  const safe = shown
    .toWellFormed()
    .replace(
      controls,
      (character) => `⟨${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
    );
  return text.length > max ? `${safe} … ${count(text.length - max)} more characters` : safe;
}

/** Text that came from outside: it keeps its direction to itself, and breaks where it must. */
export function Data({ text, max }: { readonly text: string; readonly max?: number }) {
  return <bdi class="data">{visible(text, max)}</bdi>;
}
