import type { Hop } from "./hop.ts";
import type { ProcessReport } from "./processes.ts";

export interface DoctorReport {
  readonly ok: boolean;
  /** The first broken hop, in the order data takes; `null` when all arrived. */
  readonly broken: { readonly hop: string; readonly detail: string; readonly mend: string } | null;
  readonly hops: readonly Hop[];
  readonly processes: readonly ProcessReport[];
  readonly totalMemoryBytes: number;
}

export function toReport(hops: readonly Hop[], processes: readonly ProcessReport[]): DoctorReport {
  const broken = hops.find((hop) => !hop.ok);
  return {
    ok: broken === undefined,
    broken: broken === undefined ? null : { hop: broken.hop, detail: broken.detail, mend: broken.mend ?? "" },
    hops,
    processes,
    totalMemoryBytes: processes.reduce((total, { memoryBytes }) => total + memoryBytes, 0),
  };
}

/** The report as people read it: hops first, what to do about the broken ones, then processes and memory. */
export function renderReport(report: DoctorReport): string {
  const lines = report.hops.map(({ hop, signal, ok, detail, mend }) => {
    const head = `${ok ? "ok    " : "BROKEN"}  ${hop.padEnd(12)} ${(signal ?? "").padEnd(7)} ${detail}`;
    return ok || mend === undefined ? head : `${head}\n        mend: ${mend}`;
  });
  const processes = report.processes.map(
    ({ name, state, pid, memoryBytes, restarts, lastExit, gaveUp }) =>
      `${name.padEnd(12)} ${state.padEnd(10)} ${String(pid ?? "-").padStart(8)} ${megabytes(memoryBytes)}` +
      (restarts === 0 ? "" : `  restarted ${restarts} ${restarts === 1 ? "time" : "times"}`) +
      (lastExit === null ? "" : `, last exit ${lastExit}`) +
      (gaveUp === null
        ? ""
        : `\n        given up: ${gaveUp}. When that is mended, end \`bun run dev\` and start it again`),
  );
  const total =
    report.processes.length === 0
      ? []
      : [`${"all".padEnd(32)} ${megabytes(report.totalMemoryBytes)} resident, shared pages counted once`];
  const verdict =
    report.broken === null ? "All three signals arrive, and alerts are sent on." : `Broken: ${report.broken.hop}.`;
  return [...lines, "", ...processes, ...total, "", verdict].join("\n");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0).padStart(5)} MB`;
}
