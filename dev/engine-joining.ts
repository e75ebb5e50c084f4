import { join } from "node:path";
import type { BuildProgress } from "./engines/build.ts";
import { containerName, engineCommand, type EngineRunOptions, type TraceSampling } from "./engines/command.ts";
import type { Engine } from "./engines/engines.ts";
import { EngineError } from "./engines/error.ts";
import { readPin } from "./engines/pin.ts";
import { prepareEngine } from "./engines/prepare.ts";
import { describeProgress } from "./engines/progress-line.ts";
import { type EngineMode, engineSources, findBinary, type ProvidedEngine, provideEngine } from "./engines/provide.ts";
import type { Environment } from "./engines/cache.ts";
import type { Layout } from "./layout.ts";
import type { Output } from "./output.ts";
import type { Ports } from "./ports.ts";
import { askReady } from "./ready.ts";
import { inheritedEnvironment } from "./services.ts";
import { messageOf } from "./setup-error.ts";
import type { Stack } from "./stack.ts";
import type { ProcessSpec } from "./supervised.ts";

export interface JoiningOptions {
  readonly mode: EngineMode;
  readonly layout: Layout;
  readonly ports: Ports;
  readonly retention: string;
  readonly traces: TraceSampling;
  readonly env: Environment;
  readonly stack: Stack;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly onLine: (name: string, line: string) => void;
  readonly onFailed: (engine: Engine, detail: string) => void;
}

/**
 * Provides the engines and adds each to the stack as soon as it is there: first all that lie ready, then, one after
 * the other, what must be pulled or built. One that cannot be had is told and does not keep the others.
 */
export async function joinEngines(engines: readonly Engine[], options: JoiningOptions): Promise<void> {
  for (const { name } of engines) options.stack.announce(name, "engine", "providing", "looked for");
  const found = await Promise.all(engines.map((engine) => findReady(engine, options)));
  const missing: Engine[] = [];
  // The collector comes last of them, so that it finds where to send.
  for (const [index, engine] of [...engines.entries()].toReversed()) {
    const provided = found[index];
    if (provided === undefined) missing.unshift(engine);
    else admit(engine, provided, options);
  }
  for (const [index, engine] of missing.entries()) {
    options.stack.announce(engine.name, "engine", "providing", index === 0 ? "looked for" : "waits for its turn");
  }
  for (const [index, engine] of missing.entries()) {
    if (options.signal.aborted) return;
    const rest = missing.slice(index + 1).map((other) => other.name);
    const provided = await provide(engine, rest, options);
    if (provided !== undefined && !options.signal.aborted) admit(engine, provided, options);
  }
}

function admit(engine: Engine, provided: ProvidedEngine, options: JoiningOptions): void {
  // It keeps what it cannot send, so it waits neither long nor for one that has failed.
  const dependencies = { after: ["postgres", "prometheus", "loki", "jaeger"], maxWaitMs: 5_000, evenIfFailed: true };
  options.stack.add(engineSpec(engine, provided, options), engine.name === "collector" ? dependencies : {});
}

/** What is in the cache or on PATH; a fault is left to `provide`, which tells it. */
async function findReady(engine: Engine, options: JoiningOptions): Promise<ProvidedEngine | undefined> {
  if (options.mode === "docker") return undefined;
  try {
    const pin = await readPin(engine, options.layout.repoRoot);
    return await findBinary(engineSources(engine, engine.binary, pin, { env: options.env }));
  } catch {
    return undefined;
  }
}

async function provide(
  engine: Engine,
  rest: readonly string[],
  options: JoiningOptions,
): Promise<ProvidedEngine | undefined> {
  const { stack, output, mode, signal, env, layout } = options;
  let told = "";
  const onProgress = (progress: BuildProgress): void => {
    stack.announce(engine.name, "engine", "providing", progressStatus(progress));
    const step = `${progress.phase} ${tenthsOf(progress)}`;
    if (step === told || progress.phase === "done") return;
    told = step;
    output.say(describeProgress(progress, rest).replace(/\s+/g, " "));
  };
  try {
    return await provideEngine(engine, { mode, onProgress, signal, env, repoRoot: layout.repoRoot });
  } catch (error) {
    if (signal.aborted) return undefined;
    const detail = messageOf(error);
    stack.announce(engine.name, "engine", "failed", detail);
    output.say(
      `${engine.title} is left out. ${error instanceof EngineError ? detail : `It failed: ${detail}`}`,
      "error",
    );
    options.onFailed(engine, detail);
    return undefined;
  }
}

function tenthsOf({ done, total }: BuildProgress): number {
  return total === 0 ? 0 : Math.floor((10 * done) / total);
}

function progressStatus({ phase, done, total }: BuildProgress): string {
  switch (phase) {
    case "compiling":
    case "linking":
      return `building ${total === 0 ? 99 : Math.min(99, Math.floor((100 * done) / total))}%`;
    case "generating":
      return "building 0%";
    case "waiting":
      return "waits for another build";
    case "done":
      return "built";
    case "downloading":
    case "pulling":
      return phase;
    default:
      return phase satisfies never;
  }
}

function engineSpec(engine: Engine, provided: ProvidedEngine, options: JoiningOptions): ProcessSpec {
  const { layout, ports, retention, traces, env } = options;
  const run: EngineRunOptions = {
    ports,
    retention,
    traces,
    secretsDir: layout.secrets,
    repoRoot: layout.repoRoot,
    dataDir: join(layout.data, engine.name),
  };
  const command = engineCommand(engine, provided, run);
  return {
    name: engine.name,
    kind: "engine",
    onLine: (line) => options.onLine(engine.name, line),
    launch: async () => {
      await prepareEngine(engine, run);
      if (provided.kind === "image") await removeContainer(containerName(engine, ports), env);
      return {
        argv: command.argv,
        cwd: layout.repoRoot,
        env: { ...inheritedEnvironment(env), ...command.env },
      };
    },
    ready: () => askReady(command.readyUrl),
  };
}

/** A container outlives a client that was killed, and would keep its name and ports. */
export async function removeContainer(name: string, env: Environment): Promise<void> {
  const child = Bun.spawn(["docker", "rm", "--force", name], { env: { ...env }, stdout: "ignore", stderr: "ignore" });
  await child.exited;
}
