import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchScope } from "../harness/bench.ts";

export interface OwnProcess {
  readonly command: (directory: string) => readonly string[] | Promise<readonly string[]>;
  readonly env?: Readonly<Record<string, string>>;
  /** All of them answer, with whatever status, once it serves. */
  readonly urls: readonly string[];
}

const startTimeoutMs = 30_000;

/** Starts a program with a directory of its own; both end with the bench. @throws Error with the end of what it said */
export async function startOwn(scope: BenchScope, { command, env = {}, urls }: OwnProcess): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-bench-"));
  scope.own(() => rm(directory, { recursive: true, force: true }));
  const log = join(directory, "log");
  const child = Bun.spawn([...(await command(directory))], {
    env: { PATH: scope.runtime.path, ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(log),
  });
  scope.own(async () => {
    child.kill("SIGTERM");
    await child.exited;
  });
  const deadline = performance.now() + startTimeoutMs;
  while (!(await Promise.all(urls.map(answers))).every(Boolean)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`did not start: ${(await Bun.file(log).text()).slice(-2_000)}`);
    }
    await Bun.sleep(50);
  }
  return child.pid;
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer !== undefined;
}
