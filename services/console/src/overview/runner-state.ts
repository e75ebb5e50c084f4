import { z } from "zod";

const state = z.object({
  processes: z.array(z.object({ name: z.string(), state: z.string(), detail: z.string().optional() })),
});

export interface RunnerProcess {
  readonly name: string;
  /** What it waits for or how far it is, for people. */
  readonly words: string;
}

const underway: ReadonlySet<string> = new Set(["waiting", "providing", "starting", "restarting", "failed"]);

/** What the runner of a desk has not started yet; nothing where there is no runner. */
export async function readRunnerState(file: string | undefined): Promise<readonly RunnerProcess[]> {
  if (file === undefined) return [];
  try {
    const { processes } = state.parse(await Bun.file(file).json());
    return processes
      .filter((process) => underway.has(process.state))
      .map(({ name, state: is, detail }) => ({ name, words: detail ?? is }));
  } catch {
    // Written anew this very moment, or not there: the next look will tell.
    return [];
  }
}
