import { join } from "node:path";
import { buildBinary, type BuildProgress, type ReportProgress } from "./build.ts";
import { binaryFile, namesRelease, readPin, type EnginePin } from "./pin.ts";
import { cacheDirectory, fileSize, type Environment } from "./cache.ts";
import { provideImage } from "./docker.ts";
import { repositoryRoot, type Engine, type EngineBinary } from "./engines.ts";
import { EngineError } from "./error.ts";
import { withLock } from "./lock.ts";
import { runCommand } from "./run-command.ts";

export type EngineMode = "auto" | "native" | "docker";

export type ProvidedBinary = {
  readonly kind: "binary";
  readonly path: string;
  readonly from: "cache" | "path" | "build";
};

export type ProvidedEngine = ProvidedBinary | { readonly kind: "image"; readonly image: string };

export interface ProvideOptions {
  readonly onProgress?: (progress: BuildProgress) => void;
  readonly signal?: AbortSignal;
  /** Default: the environment of the process. */
  readonly env?: Environment;
  /** Default: the checkout this file lies in. */
  readonly repoRoot?: string;
}

/** Where an engine can come from. The first two answer undefined when they have none; the others throw why. */
export interface EngineSources {
  readonly cached: () => Promise<string | undefined>;
  readonly onPath: () => Promise<string | undefined>;
  readonly image: () => Promise<string>;
  readonly build: () => Promise<string>;
}

/**
 * Provides an engine: from the cache, from PATH, as an image, or by building it, in this order and as far as the mode
 * allows. Builds wait for each other, also across processes.
 *
 * @throws {EngineError} with the mend in its message; the signal's reason when aborted.
 */
export async function provideEngine(
  engine: Engine,
  options: ProvideOptions & { readonly mode: EngineMode },
): Promise<ProvidedEngine> {
  const pin = await readPin(engine, options.repoRoot ?? repositoryRoot);
  const sources = engineSources(engine, engine.binary, pin, options);
  try {
    return await chooseSource(options.mode, sources);
  } catch (cause) {
    if (options.mode !== "auto" || !(cause instanceof EngineError)) throw cause;
    throw new EngineError("unavailable", threeWays(engine, pin, cause.message), { cause });
  }
}

/** Provides the program that checks the engine's config: never an image, since tests run it on files. */
export async function provideTool(engine: Engine, options: ProvideOptions = {}): Promise<ProvidedBinary> {
  const pin = await readPin(engine, options.repoRoot ?? repositoryRoot);
  return chooseBinary(engineSources(engine, engine.tool ?? engine.binary, pin, options));
}

export async function chooseSource(mode: EngineMode, sources: EngineSources): Promise<ProvidedEngine> {
  if (mode === "docker") return { kind: "image", image: await sources.image() };
  if (mode === "native") return chooseBinary(sources);
  const found = await findBinary(sources);
  if (found !== undefined) return found;
  const reasons: EngineError[] = [];
  try {
    return { kind: "image", image: await sources.image() };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    reasons.push(error);
  }
  try {
    return { kind: "binary", path: await sources.build(), from: "build" };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    reasons.push(error);
  }
  throw new EngineError("unavailable", reasons.map((reason) => reason.message).join("\n"), { cause: reasons.at(-1) });
}

/** Looks where nothing has to be made first. */
export async function findBinary(
  sources: Pick<EngineSources, "cached" | "onPath">,
): Promise<ProvidedBinary | undefined> {
  const cached = await sources.cached();
  if (cached !== undefined) return { kind: "binary", path: cached, from: "cache" };
  const onPath = await sources.onPath();
  return onPath === undefined ? undefined : { kind: "binary", path: onPath, from: "path" };
}

export function engineSources(
  engine: Engine,
  binary: EngineBinary,
  pin: EnginePin,
  options: ProvideOptions,
): EngineSources {
  const env = options.env ?? Bun.env;
  const cache = cacheDirectory(env);
  const outFile = binaryFile(cache, engine, pin, binary);
  const startedAt = performance.now();
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const report: ReportProgress = (phase, done = 0, total = 0, detail) =>
    options.onProgress?.({
      engine: engine.name,
      binary: binary.name,
      phase,
      done,
      total,
      elapsedMs: Math.round(performance.now() - startedAt),
      ...(detail === undefined ? {} : { detail }),
    });
  const cached = async (): Promise<string | undefined> =>
    (await fileSize(outFile)) === undefined ? undefined : outFile;
  return {
    cached,
    onPath: () => findOnPath(binary, pin, env),
    image: () =>
      provideImage(pin.image, {
        env,
        ...signal,
        onPull: () => report("pulling", 0, 0, pin.image),
      }),
    build: async () => {
      const onWait = (holder: number): void => report("waiting", 0, 0, `process ${holder} is building`);
      await withLock(join(cache, "build.lock"), { ...signal, onWait }, async () => {
        // Who held the lock may have built just this.
        if ((await cached()) !== undefined) return;
        await buildBinary({
          engine,
          binary,
          pin,
          outFile,
          repoRoot: options.repoRoot ?? repositoryRoot,
          env,
          report,
          ...signal,
        });
      });
      return outFile;
    },
  };
}

async function chooseBinary(sources: EngineSources): Promise<ProvidedBinary> {
  return (
    (await findBinary(sources)) ?? {
      kind: "binary",
      path: await sources.build(),
      from: "build",
    }
  );
}

async function findOnPath(binary: EngineBinary, pin: EnginePin, env: Environment): Promise<string | undefined> {
  for (const name of binary.pathNames) {
    const path = Bun.which(name, { PATH: env["PATH"] ?? "" });
    if (path === null) continue;
    const asked = await runCommand([path, ...binary.versionArgs], {
      env,
      timeoutMs: 5000,
    }).catch(() => undefined);
    if (asked?.exitCode === 0 && namesRelease(`${asked.stdout}\n${asked.stderr}`, pin.release)) return path;
  }
  return undefined;
}

function threeWays(engine: Engine, pin: EnginePin, reasons: string): string {
  const name = engine.binary.pathNames[0] ?? engine.binary.name;
  return [
    `${engine.title} ${pin.release} cannot be provided.`,
    reasons,
    "Any one of these mends it:",
    `  1. put \`${name}\` ${pin.release} on PATH;`,
    `  2. start Docker, so that ${pin.image} can be run;`,
    `  3. install Go ${pin.goVersion} or newer, so that it can be built.`,
  ].join("\n");
}
