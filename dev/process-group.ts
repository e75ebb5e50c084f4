import type { Readable } from "node:stream";
import { spawn } from "node:child_process";
import { signalGroup, signalProcess, startTicksOf } from "./process-identity.ts";

/** How to start a process. */
export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** To run as another user; only root may. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Child {
  readonly pid: number;
  readonly startTicks: number;
  /** Resolves when the process has ended and all it wrote has been handed on. */
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** Ends the process and whatever it started. */
  killAll(): void;
}

export type Spawn = (launch: Launch, onLine: (line: string) => void) => Promise<Child>;

/** Longer lines are cut, so that a process which never ends its line cannot fill the memory. */
const maxLineCharacters = 64 * 1024;
/** How long output is still read after the end, when something else holds the pipe open. */
const drainMs = 500;

/**
 * Starts a process as leader of a session of its own, so that a terminal's Ctrl-C and hang-up reach the runner alone,
 * which then stops its processes in order.
 *
 * @throws when the program cannot be started
 */
export async function spawnGroup(launch: Launch, onLine: (line: string) => void): Promise<Child> {
  const [command = "", ...args] = launch.argv;
  const child = spawn(command, args, {
    cwd: launch.cwd,
    env: launch.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...launch.user,
  });
  const exit = Promise.withResolvers<Exit>();
  child.once("exit", (code, signal) => exit.resolve({ code, signal }));
  const output = Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onLine)]);
  await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const pid = child.pid ?? 0;
  return {
    pid,
    startTicks: startTicksOf(pid) ?? 0,
    exited: finish(exit.promise, output),
    signal: (signal) => {
      // After its end the pid may be a stranger's.
      if (child.exitCode === null && child.signalCode === null) signalProcess(pid, signal);
    },
    killAll: () => signalGroup(pid, "SIGKILL"),
  };
}

async function finish(exit: Promise<Exit>, output: Promise<unknown>): Promise<Exit> {
  const ended = await exit;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, drainMs);
  await Promise.race([output, promise]);
  clearTimeout(timer);
  return ended;
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = (lines.pop() ?? "").slice(0, maxLineCharacters);
      for (const line of lines) if (line !== "") onLine(line.replace(/\r$/, "").slice(0, maxLineCharacters));
    }
  } catch {
    // A pipe that breaks has nothing more to say; the exit of the process is reported on its own.
  }
  if (rest !== "") onLine(rest);
}
