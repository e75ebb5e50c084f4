import { cpus, loadavg, platform, release } from "node:os";
import type { BenchSettings, Skipped } from "./bench.ts";
import type { Delivery } from "./deliveries.ts";
import type { BenchRun } from "./run.ts";
import type { Spread } from "./statistics.ts";
import { summarise, type VariantSummary } from "./summary.ts";

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly system: string;
  readonly bun: string;
  /** Load average of the minute before the run: above the number of cores, absolute numbers mean little. */
  readonly loadBefore: number;
}

/** What `--json` prints. Times and rates are as their names say; ratios are to the baseline of the same round. */
export interface BenchReport {
  readonly bench: string;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly settings: BenchSettings;
  readonly routes: readonly { readonly name: string; readonly variants: readonly VariantSummary[] }[];
  readonly skipped: readonly Skipped[];
  readonly deliveries: readonly Delivery[];
  readonly faults: readonly string[];
  readonly targets: readonly string[];
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? "unknown",
    system: `${platform()} ${release()}`,
    bun: Bun.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

export function toReport(
  bench: string,
  startedAt: Date,
  machine: Machine,
  settings: BenchSettings,
  run: BenchRun,
): BenchReport {
  return {
    bench,
    startedAt: startedAt.toISOString(),
    machine,
    settings,
    routes: run.routes.map(({ name }) => ({
      name,
      variants: summarise(
        run.variants,
        run.measurements.filter(({ route }) => route === name),
      ),
    })),
    skipped: run.skipped,
    deliveries: run.deliveries,
    faults: run.faults,
    targets: run.targets,
  };
}

const heads = [
  "variant",
  "of",
  "throughput",
  "p99",
  "CPU added",
  "RSS added",
  "req/s",
  "p50",
  "p99",
  "CPU",
  "per core",
  "RSS",
];
const units = ["", "", "ratio", "ratio", "µs/req", "MiB", "", "ms", "ms", "µs/req", "req/s", "MiB"];

/** Markdown tables that read well in a terminal too: ratios first, each median followed by its least and greatest. */
export function toText(report: BenchReport): string {
  const { machine, settings } = report;
  return [
    `${report.bench}, ${report.startedAt.slice(0, 10)}: ${machine.cores} × ${machine.processor}, ${machine.system}, Bun ${machine.bun}, load before ${machine.loadBefore.toFixed(2)}`,
    `${settings.rounds} alternating rounds of ${settings.seconds} s, ${settings.connections} connections; median (least–greatest)`,
    ...report.routes.flatMap(({ name, variants }) => [
      "",
      `### ${name}`,
      "",
      ...table(variants.map(row)),
      ...variants.flatMap(cpuLine),
    ]),
    "",
    ...report.skipped.map(({ variant, reason }) => `left out: ${variant}: ${reason}`),
    deliveryLine(report.deliveries),
    ...report.targets,
    ...report.faults.map((fault) => `FAULT: ${fault}`),
  ].join("\n");
}

function row(summary: VariantSummary): readonly string[] {
  const ownBaseline = summary.variant === summary.baseline;
  return [
    summary.variant,
    ownBaseline ? "" : summary.baseline,
    ...(ownBaseline
      ? ["1", "1", "0", "0"]
      : [
          spread(summary.throughputRatio, 2),
          spread(summary.p99Ratio, 2),
          spread(summary.cpuAddedMicros, 0),
          spread(summary.residentAddedMiB, 0),
        ]),
    spread(summary.requestsPerSecond, 0),
    spread(summary.p50Ms, 2),
    spread(summary.p99Ms, 2),
    spread(summary.cpuMicros, 0),
    spread(summary.perCore, 0),
    spread(summary.residentMiB, 0),
  ];
}

function spread(value: Spread | undefined, digits: number): string {
  if (value === undefined) return "–";
  const [median, min, max] = [value.median, value.min, value.max].map((number) => rounded(number, digits));
  return min === max ? String(median) : `${median} (${min}–${max})`;
}

/** `toFixed` without its "-0". */
function rounded(number: number, digits: number): string {
  const text = number.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const titles = heads.map((head, column) => `${head} ${units[column] ?? ""}`.trim());
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(titles), line(rule), ...rows.map(line)];
}

function deliveryLine(deliveries: readonly Delivery[]): string {
  const byVariant = Map.groupBy(deliveries, ({ variant }) => variant);
  const parts = [...byVariant].map(([variant, items]) => {
    const arrived = items.reduce((sum, item) => sum + item.arrived, 0);
    const expected = items.reduce((sum, item) => sum + item.expected, 0);
    return `${variant} ${arrived} of ${expected}`;
  });
  return `arrived at the sink: ${parts.join(", ")}`;
}

function cpuLine({ variant, cpuMicrosBy }: VariantSummary): readonly string[] {
  if (cpuMicrosBy === undefined) return [];
  const shares = Object.entries(cpuMicrosBy).map(([name, micros]) => `${name} ${rounded(micros, 0)}`);
  return ["", `CPU of ${variant} by program, µs/req: ${shares.join(", ")}`];
}
