import type { Output } from "./output.ts";
import type { Stack } from "./stack.ts";
import type { RunnerEvent } from "./state.ts";
import type { Target } from "./watch.ts";

export interface ReloaderOptions {
  readonly stack: Pick<Stack, "restart" | "rows">;
  readonly output: Pick<Output, "say">;
  readonly event: (event: Omit<RunnerEvent, "at">) => void;
}

/** Starts anew what reads a changed file; what changes meanwhile is gathered for the next round. */
export function createReloader({ stack, output, event }: ReloaderOptions) {
  let wanted = new Set<string>();
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    while (wanted.size > 0) {
      const names = wanted;
      wanted = new Set();
      for (const name of names) event({ event: "reloaded", process: name });
      await stack.restart(names);
    }
    busy = false;
  }

  return (targets: ReadonlySet<Target>, paths: readonly string[]): void => {
    const present = stack.rows.map((row) => row.name).filter((name) => targets.has(name as Target));
    if (present.length === 0) return;
    const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
    const verb = paths.length > 1 ? "have changed" : "has changed";
    output.say(`${paths[0] ?? ""}${more} ${verb}; starting anew: ${present.join(", ")}`);
    wanted = wanted.union(new Set(present));
    if (!busy) void work();
  };
}
