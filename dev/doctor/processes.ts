import { join } from "node:path";
import { z } from "zod";
import { residentBytes } from "./memory.ts";

/** The part of the runner's `state.json` that doctor reads. */
const state = z.object({
  processes: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      pid: z.int().nullish(),
      state: z.string(),
      restarts: z.int(),
      lastExit: z.object({ at: z.string(), code: z.int().nullable(), signal: z.string().nullable() }).nullish(),
      detail: z.string().optional(),
    }),
  ),
});

export interface ProcessReport {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly pid: number | null;
  /** With all its descendants. */
  readonly memoryBytes: number;
  readonly restarts: number;
  /** Why it ended the last time it did, as the runner recorded it. */
  readonly lastExit: string | null;
  /** Why the runner will not start it again by itself; null unless it has failed. */
  readonly gaveUp: string | null;
}

/** What the runner says of its processes, with their memory; empty when no runner has run here. */
export async function readProcesses(runDirectory: string): Promise<readonly ProcessReport[]> {
  const file = Bun.file(join(runDirectory, "state.json"));
  if (!(await file.exists())) return [];
  const { processes } = state.parse(await file.json());
  const memory = await residentBytes(processes.flatMap(({ pid }) => (typeof pid === "number" ? [pid] : [])));
  return processes.map(({ name, kind, pid, state: phase, restarts, lastExit, detail }) => ({
    name,
    kind,
    state: phase,
    pid: pid ?? null,
    memoryBytes: memory.get(pid ?? 0) ?? 0,
    restarts,
    lastExit: lastExit ? `${lastExit.signal ?? `exit code ${lastExit.code}`} at ${lastExit.at}` : null,
    gaveUp: phase === "failed" ? (detail ?? "it failed") : null,
  }));
}
