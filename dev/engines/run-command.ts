import { kill } from "node:process";
import type { Environment } from "./cache.ts";

export interface RunOptions {
  readonly env: Environment;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onErrorLine?: (line: string) => void;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const forceAfterMs = 3000;

/**
 * Runs a command to its end. It leads a process group of its own, and the abort signal or the timeout ends the whole
 * group, so that no compiler outlives its `go build`. Throws the signal's reason when aborted.
 */
export async function runCommand(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const [name = "", ...args] = argv;
  // Looked up in the PATH that is handed on, not in that of this process.
  const path = Bun.which(name, { PATH: options.env["PATH"] ?? "" }) ?? name;
  const child = Bun.spawn([path, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  const end = (): void => endGroup(child);
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(end, options.timeoutMs);
  options.signal?.addEventListener("abort", end, { once: true });
  try {
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      collectLines(child.stderr, options.onErrorLine),
      child.exited,
    ]);
    options.signal?.throwIfAborted();
    return { exitCode, stdout, stderr };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
  }
}

function endGroup(child: Bun.Subprocess): void {
  signalGroup(child.pid, "SIGTERM");
  const force = setTimeout(() => signalGroup(child.pid, "SIGKILL"), forceAfterMs);
  void child.exited.then(() => clearTimeout(force));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(-pid, signal);
  } catch {
    // The group has ended by itself in the meantime.
  }
}

async function collectLines(stream: ReadableStream<Uint8Array>, onLine?: (line: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  let rest = "";
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    all += text;
    rest += text;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine?.(line);
  }
  if (rest !== "") onLine?.(rest);
  return all;
}
