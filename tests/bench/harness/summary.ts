import type { Variant } from "./bench.ts";
import type { Measurement } from "./measurement.ts";
import { paired, type Spread, spreadOf } from "./statistics.ts";

export interface VariantSummary {
  readonly variant: string;
  readonly baseline: string;
  /** Throughput divided by the baseline's of the same round. */
  readonly throughputRatio: Spread;
  readonly p99Ratio: Spread;
  /** Beyond the baseline's of the same round, per request; absent where the operating system does not say. */
  readonly cpuAddedMicros?: Spread;
  readonly residentAddedMiB?: Spread;
  readonly requestsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly cpuMicros?: Spread;
  readonly residentMiB?: Spread;
}

const mebibyte = 1_048_576;

/** Summarises the measurements of one route: every variant beside its baseline. @throws RangeError when one is missing */
export function summarise(
  variants: readonly Pick<Variant, "name" | "baseline">[],
  measurements: readonly Measurement[],
): readonly VariantSummary[] {
  const of = (variant: string) =>
    measurements.filter((measurement) => measurement.variant === variant).toSorted((a, b) => a.round - b.round);
  return variants.map(({ name, baseline }) => {
    const own = of(name);
    const base = of(baseline);
    const compare = (read: (m: Measurement) => number, combine: (value: number, base: number) => number) =>
      paired(own.map(read), base.map(read), combine);
    return {
      variant: name,
      baseline,
      throughputRatio: compare((m) => m.requestsPerSecond, divide),
      p99Ratio: compare((m) => m.p99Ms, divide),
      requestsPerSecond: spreadOf(own.map((m) => m.requestsPerSecond)),
      p50Ms: spreadOf(own.map((m) => m.p50Ms)),
      p99Ms: spreadOf(own.map((m) => m.p99Ms)),
      ...usage(own, base),
    };
  });
}

type UsageSummary = Pick<VariantSummary, "cpuAddedMicros" | "residentAddedMiB" | "cpuMicros" | "residentMiB">;

function usage(own: readonly Measurement[], base: readonly Measurement[]): UsageSummary {
  const ownUsage = own.flatMap((m) => m.usage ?? []);
  const baseUsage = base.flatMap((m) => m.usage ?? []);
  if (ownUsage.length < own.length || baseUsage.length < base.length) return {};
  const cpu = ownUsage.map(({ cpuMicros }) => cpuMicros);
  const resident = ownUsage.map(({ residentBytes }) => residentBytes / mebibyte);
  return {
    cpuAddedMicros: paired(
      cpu,
      baseUsage.map(({ cpuMicros }) => cpuMicros),
      subtract,
    ),
    residentAddedMiB: paired(
      resident,
      baseUsage.map(({ residentBytes }) => residentBytes / mebibyte),
      subtract,
    ),
    cpuMicros: spreadOf(cpu),
    residentMiB: spreadOf(resident),
  };
}

function divide(value: number, base: number): number {
  return value / base;
}

function subtract(value: number, base: number): number {
  return value - base;
}
