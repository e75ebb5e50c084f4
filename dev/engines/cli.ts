import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { BuildProgress } from "./build.ts";
import { cacheDirectory, cleanCache, fileSize } from "./cache.ts";
import { hasImage } from "./docker.ts";
import { engineNamed, engines, repositoryRoot, type Engine } from "./engines.ts";
import { EngineError } from "./error.ts";
import { withLock } from "./lock.ts";
import { readPin } from "./pin.ts";
import { engineSources, findBinary, provideEngine, provideTool } from "./provide.ts";
import { ProgressLine } from "./progress-line.ts";

const usage = `Usage: bun run engines [list|build|clean] [names…] [--json]

  list    where each engine would come from, its version and size
  build   build the named engines (default: all) and their check tools into the cache
  clean   remove the named engines (default: all) from the cache

Names: ${engines.map((engine) => engine.name).join(", ")}`;

interface ListedEngine {
  readonly name: string;
  readonly version: string;
  readonly from: "cache" | "path" | "image" | "none";
  readonly bytes?: number;
  readonly path?: string;
}

async function list(chosen: readonly Engine[]): Promise<readonly ListedEngine[]> {
  return Promise.all(
    chosen.map(async (engine): Promise<ListedEngine> => {
      const pin = await readPin(engine, repositoryRoot);
      const base = { name: engine.name, version: pin.release };
      const found = await findBinary(engineSources(engine, engine.binary, pin, {}));
      if (found?.from === "cache" || found?.from === "path") {
        const bytes = await fileSize(found.path);
        return {
          ...base,
          from: found.from,
          path: found.path,
          ...(bytes === undefined ? {} : { bytes }),
        };
      }
      const hasIt = await hasImage(pin.image, { env: process.env });
      return hasIt ? { ...base, from: "image", path: pin.image } : { ...base, from: "none" };
    }),
  );
}

async function build(chosen: readonly Engine[], json: boolean, signal: AbortSignal): Promise<readonly ListedEngine[]> {
  const line = new ProgressLine(process.stderr);
  for (const [index, engine] of chosen.entries()) {
    const remaining = chosen.slice(index + 1).map((other) => other.name);
    const onProgress = (progress: BuildProgress): void => {
      if (json) process.stderr.write(`${JSON.stringify({ ...progress, remaining })}\n`);
      else line.show(progress, remaining);
    };
    await provideEngine(engine, { mode: "native", onProgress, signal });
    await provideTool(engine, { onProgress, signal });
  }
  line.end();
  return list(chosen);
}

async function clean(chosen: readonly Engine[], signal: AbortSignal): Promise<readonly string[]> {
  const cache = cacheDirectory(process.env);
  const onWait = (holder: number): void => {
    process.stderr.write(`Waiting for process ${holder}, which is building.\n`);
  };
  const names = chosen.map((engine) => engine.name);
  return withLock(join(cache, "build.lock"), { signal, onWait }, () => cleanCache(cache, names));
}

function table(rows: readonly ListedEngine[]): string {
  const where = {
    cache: "cache",
    path: "PATH",
    image: "Docker image",
    none: "not yet: will be pulled or built",
  };
  const cells = rows.map((row) => [
    row.name,
    row.version,
    row.bytes === undefined ? "" : `${Math.round(row.bytes / 1024 ** 2)} MB`,
    where[row.from],
    row.path ?? "",
  ]);
  const all = [["ENGINE", "VERSION", "SIZE", "FROM", "PATH"], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function chooseEngines(names: readonly string[]): readonly Engine[] {
  if (names.length === 0) return engines;
  return names.map((name) => {
    const engine = engineNamed(name);
    if (engine === undefined) throw new UsageError(`There is no engine named ${name}.`);
    return engine;
  });
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = readArguments(args);
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const [command = "list", ...names] = positionals;
  const chosen = chooseEngines(names);
  const print = (value: readonly ListedEngine[]): void => {
    process.stdout.write(`${values.json ? JSON.stringify(value, null, 2) : table(value)}\n`);
  };
  switch (command) {
    case "list":
      print(await list(chosen));
      break;
    case "build":
      print(await build(chosen, values.json, signal));
      break;
    case "clean": {
      const removed = await clean(chosen, signal);
      process.stdout.write(
        values.json
          ? `${JSON.stringify(removed)}\n`
          : `Removed ${removed.length === 0 ? "nothing" : removed.join(", ")}.\n`,
      );
      break;
    }
    default:
      throw new UsageError(`There is no command ${command}.`);
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopped.abort(signal));

try {
  await main(process.argv.slice(2), stopped.signal);
} catch (error) {
  if (stopped.signal.aborted) {
    process.exitCode = 130;
  } else if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    process.exitCode = 2;
  } else if (error instanceof EngineError) {
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
