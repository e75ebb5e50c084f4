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
  /** Requests a core can take: one second of CPU divided by `cpuMicros`. */
  readonly perCore?: Spread;
  /** Median CPU per request by program, where more than one works for the variant. */
  readonly cpuMicrosBy?: Readonly<Record<string, number>>;
}

const mebibyte = 1_048_576;

/** Summarises the measurements of one route: every variant beside its baseline. @throws RangeError when one is missing */
export function summarise(
  variants: readonly Pick<Variant, "name" | "baseline">[],
  measurements: readonly Measurement[],
): readonly VariantSummary[] {
  const of = (variant: string) =>
    measurements.filter((measurement) => measurement.variant === variant).toSorted((a, b) => a.round - b.round);
  const measured = variants.filter(({ name }) => measurements.some((m) => m.variant === name));
  // A baseline for which a route means nothing leaves the others beside the first that has it.
  const stands = (baseline: string) => measured.some(({ name }) => name === baseline);
  return measured.map(({ name, baseline: wanted }) => {
    const baseline = stands(wanted) ? wanted : (measured[0]?.name ?? wanted);
    const own = of(name);
    const base = of(baseline);
    const compare = (read: (m: Measurement) => number, combine: (value: number, base: number) => number) =>
      paired(own.map(read), base.map(read), combine);
    const summary: VariantSummary = {
      variant: name,
      baseline,
      throughputRatio: compare((m) => m.requestsPerSecond, divide),
      p99Ratio: compare((m) => m.p99Ms, divide),
      requestsPerSecond: spreadOf(own.map((m) => m.requestsPerSecond)),
      p50Ms: spreadOf(own.map((m) => m.p50Ms)),
      p99Ms: spreadOf(own.map((m) => m.p99Ms)),
    };
    return Object.assign(summary, usage(own, base));
  });
}

type UsageSummary = Pick<
  VariantSummary,
  "cpuAddedMicros" | "residentAddedMiB" | "cpuMicros" | "residentMiB" | "perCore" | "cpuMicrosBy"
>;

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
    perCore: spreadOf(cpu.map((micros) => 1e6 / Math.max(1, micros))),
    ...parts(ownUsage),
  };
}

function parts(usages: readonly NonNullable<Measurement["usage"]>[]): Pick<VariantSummary, "cpuMicrosBy"> {
  const names = Object.keys(usages[0]?.cpuMicrosBy ?? {});
  if (names.length < 2) return {};
  const median = (name: string) => spreadOf(usages.map(({ cpuMicrosBy }) => cpuMicrosBy?.[name] ?? 0)).median;
  return { cpuMicrosBy: Object.fromEntries(names.map((name) => [name, median(name)])) };
}

function divide(value: number, base: number): number {
  return value / base;
}

function subtract(value: number, base: number): number {
  return value - base;
}
