import type { Checked, Verdict } from "./check.ts";

type Fault = Pick<Checked, "kind" | "where" | "title" | "detail" | "path">;

export interface PanelReport {
  readonly ok: boolean;
  readonly checked: number;
  /** Of the queries panels ask, in milliseconds. */
  readonly p95Ms: number;
  readonly slowestMs: number;
  readonly empty: readonly Fault[];
  readonly failing: readonly Fault[];
  readonly slow: readonly Fault[];
}

export function toPanelReport(checks: readonly Checked[]): PanelReport {
  const of = (wanted: Verdict): readonly Fault[] =>
    checks
      .filter(({ verdict }) => verdict === wanted)
      .map(({ kind, where, title, detail, path }) => ({ kind, where, title, detail, path }));
  const times = checks
    .filter(({ kind }) => kind === "panel")
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b);
  return {
    ok: checks.every(({ verdict }) => verdict === "ok"),
    checked: checks.length,
    p95Ms: Math.round(times[Math.ceil(times.length * 0.95) - 1] ?? 0),
    slowestMs: Math.round(times.at(-1) ?? 0),
    empty: of("empty"),
    failing: of("failing"),
    slow: of("slow"),
  };
}

export function renderPanelReport(report: PanelReport): string {
  const { empty, failing, slow } = report;
  const lines = [
    ...failing.map((fault) => lineOf("failing", fault)),
    ...empty.map((fault) => lineOf("empty", fault)),
    ...slow.map((fault) => lineOf("slow", fault)),
  ];
  const counts = `${failing.length} failing, ${empty.length} empty, ${slow.length} slow`;
  const times = `panels answer in ${report.p95Ms} ms at p95, ${report.slowestMs} ms at most`;
  return [...lines, `${report.checked} queries: ${counts}; ${times}.`].join("\n");
}

function lineOf(verdict: Verdict, { kind, where, title, detail, path }: Fault): string {
  return `${verdict.padEnd(8)} ${kind.padEnd(10)} ${where} · ${title}: ${detail}\n         ${decodeURIComponent(path).slice(0, 300)}`;
}
