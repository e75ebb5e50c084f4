import { freePort } from "@vitrine/kit/testing/postgres";
import type { Runtime, Variant } from "./bench.ts";

const startTimeoutMs = 20_000;
const stopTimeoutMs = 15_000;

export interface Child {
  /** Absent when the harness did not start it. */
  readonly pid: number | undefined;
  readonly url: URL;
  /** Ends it by SIGTERM, so that it sends what it still holds; a fault when it has to be killed. */
  stop(): Promise<string | undefined>;
}

type Process = Bun.Subprocess<"ignore", "ignore" | "pipe", "pipe">;

/** Starts a server of the bench's own: it chooses its port and prints its address as its first line. */
export async function startHelper(
  script: string,
  runtime: Runtime,
  { before = [], env = {} }: { readonly before?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<Child> {
  const child = Bun.spawn([...before, runtime.bun, script], {
    env: { PATH: runtime.path, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const errors = collectErrors(child);
  for await (const chunk of child.stdout) {
    return { pid: child.pid, url: new URL(new TextDecoder().decode(chunk).trim()), stop: () => stop(child) };
  }
  throw new Error(`${script} did not start: ${await errors()}`);
}

/** Starts a variant on a free port, or takes the one the bench has started, and resolves when it takes connections. @throws Error with what it said on stderr */
export async function startVariant(variant: Variant, runtime: Runtime): Promise<Child> {
  if (variant.target !== undefined) return { pid: undefined, url: variant.target, stop: async () => undefined };
  const port = await freePort();
  const child = Bun.spawn([...variant.command], {
    cwd: variant.cwd,
    // Only what the variant names: a variable of the caller's shell must not change what is measured.
    env: { PATH: runtime.path, HOST: "127.0.0.1", PORT: String(port), ...variant.env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const errors = collectErrors(child);
  const deadline = performance.now() + startTimeoutMs;
  while (!(await serves(port, variant.readyPath))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${variant.name} did not start: ${await errors()}`);
    }
    if (performance.now() > deadline) {
      await stop(child);
      throw new Error(`${variant.name} took no connection within ${startTimeoutMs / 1_000} s: ${await errors()}`);
    }
    await Bun.sleep(20);
  }
  return { pid: child.pid, url: new URL(`http://127.0.0.1:${port}`), stop: () => stop(child) };
}

async function stop(child: Process): Promise<string | undefined> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return `ended by itself (${child.signalCode ?? `exit code ${child.exitCode}`})`;
  }
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await child.exited;
  clearTimeout(timer);
  return child.signalCode === "SIGKILL" ? `did not stop within ${stopTimeoutMs / 1_000} s` : undefined;
}

/** Reads stderr all along, since a full pipe would stop the child, and keeps its end for the message of a failure. */
function collectErrors(child: Process): () => Promise<string> {
  let tail = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of child.stderr) tail = (tail + decoder.decode(chunk, { stream: true })).slice(-2_000);
  })();
  return async () => {
    await reading;
    return tail.trim() || "it said nothing on stderr";
  };
}

async function serves(port: number, readyPath: string | undefined): Promise<boolean> {
  if (readyPath === undefined || !(await accepts(port))) return readyPath === undefined && accepts(port);
  const answer = await fetch(`http://127.0.0.1:${port}${readyPath}`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  return answer?.ok === true;
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.terminate();
    return true;
  } catch {
    return false;
  }
}
