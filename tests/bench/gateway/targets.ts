import type { Measurement } from "../harness/measurement.ts";
import { paired, type Spread } from "../harness/statistics.ts";

type Read = (measurement: Measurement) => number;

const throughput: Read = (m) => m.requestsPerSecond;
const perCore: Read = (m) => (m.usage === undefined ? Number.NaN : 1e6 / Math.max(1, m.usage.cpuMicros));
const p99: Read = (m) => m.p99Ms;

interface Target {
  readonly what: string;
  readonly of: string;
  readonly to: string;
  readonly read: Read;
  readonly least?: number;
  readonly most?: number;
}

const targets: readonly Target[] = [
  { what: "throughput on one core", of: "gateway", to: "nginx", read: throughput, least: 5 },
  { what: "requests per second of CPU", of: "gateway", to: "nginx", read: perCore, least: 5 },
  { what: "p99", of: "gateway", to: "nginx", read: p99, most: 0.5 },
  { what: "requests per second of CPU", of: "gateway", to: "nginx-plain", read: perCore, least: 5 },
  { what: "p99", of: "gateway", to: "nginx-plain", read: p99, most: 0.5 },
  {
    what: "throughput into the collector",
    of: "gateway-collector",
    to: "none-collector",
    read: throughput,
    least: 0.5,
  },
];

/** One line for each target whose two sides were measured on the main scenario: what was reached and what is asked. */
export function targetLines(measurements: readonly Measurement[], route: string): readonly string[] {
  const of = (variant: string) =>
    measurements
      .filter((measurement) => measurement.route === route && measurement.variant === variant)
      .toSorted((a, b) => a.round - b.round);
  return targets.flatMap((target) => {
    const [own, base] = [of(target.of), of(target.to)];
    if (own.length === 0 || own.length !== base.length) return [];
    const ratio = paired(own.map(target.read), base.map(target.read), (value, other) => value / other);
    return [`${target.what}, ${target.of} ÷ ${target.to}: ${spread(ratio)}; ${asked(target, ratio.median)}`];
  });
}

function asked({ least, most }: Target, median: number): string {
  if (least !== undefined) return `target at least ${least}: ${median >= least ? "reached" : "missed"}`;
  if (most !== undefined) return `target at most ${most}: ${median <= most ? "reached" : "missed"}`;
  return "no target";
}

function spread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}
