import type { Unit } from "@vitrine/dashboards/model";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const euros = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "EUR",
  notation: "compact",
  maximumSignificantDigits: 3,
});

/** A value in its unit, for the server and the browser alike. */
export function written(value: number, unit: Unit, decimals?: number): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "percentunit":
      return `${rounded(value * 100, decimals)} %`;
    case "s":
      return seconds(value, decimals);
    case "bytes":
      return binary(value, decimals);
    case "Bps":
      return `${binary(value, decimals)}/s`;
    case "currencyEUR":
      return euros.format(value);
    case "reqps":
    case "ops":
    case "cps":
      return `${plain(value, decimals)}/s`;
    case "none":
    case "short":
      return plain(value, decimals);
    default:
      return unit satisfies never;
  }
}

function plain(value: number, decimals: number | undefined): string {
  return decimals === undefined ? compact.format(value) : value.toFixed(decimals);
}

function rounded(value: number, decimals: number | undefined): string {
  return decimals === undefined ? String(Number(value.toPrecision(3))) : value.toFixed(decimals);
}

function seconds(value: number, decimals: number | undefined): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${rounded(value * 1e6, decimals)} µs`;
  if (size < 1) return `${rounded(value * 1_000, decimals)} ms`;
  if (size < 120) return `${rounded(value, decimals)} s`;
  if (size < 7_200) return `${rounded(value / 60, decimals)} min`;
  if (size < 172_800) return `${rounded(value / 3_600, decimals)} h`;
  return `${rounded(value / 86_400, decimals)} d`;
}

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function binary(value: number, decimals: number | undefined): string {
  const size = Math.abs(value);
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), binaryUnits.length - 1);
  return `${rounded(value / 1_024 ** power, decimals)} ${binaryUnits[power] ?? "B"}`;
}
