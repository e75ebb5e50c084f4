import type { BuildProgress } from "./build.ts";

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Draws build progress: one line rewritten in place on a terminal, a line per step and tenth elsewhere. */
export class ProgressLine {
  readonly #output: Output;
  #last = "";

  constructor(output: Output) {
    this.#output = output;
  }

  show(progress: BuildProgress, remaining: readonly string[]): void {
    if (this.#output.isTTY === true) {
      this.#output.write(`\r\u001B[2K${describeProgress(progress, remaining)}`);
      if (progress.phase === "done") this.end();
      return;
    }
    const tenth = progress.total === 0 ? 0 : Math.floor((10 * progress.done) / progress.total);
    const step = `${progress.binary} ${progress.phase} ${tenth}`;
    if (step === this.#last) return;
    this.#last = step;
    this.#output.write(`${describeProgress(progress, remaining)}\n`);
  }

  end(): void {
    if (this.#output.isTTY === true) this.#output.write("\n");
  }
}

export function describeProgress(progress: BuildProgress, remaining: readonly string[]): string {
  const parts = [progress.binary.padEnd(12), progress.phase];
  if (progress.total > 0) parts.push(`${progress.done}/${progress.total} packages`);
  else if (progress.done > 0) parts.push(`${progress.done} modules`);
  if (progress.detail !== undefined) parts.push(`(${progress.detail})`);
  parts.push(`${Math.round(progress.elapsedMs / 1000)} s`);
  if (remaining.length > 0) parts.push(`then ${remaining.join(", ")}`);
  return parts.join(" ");
}
