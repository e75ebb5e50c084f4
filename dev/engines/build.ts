import { copyFile, mkdir, mkdtemp, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pid } from "node:process";
import type { Environment } from "./cache.ts";
import type { Engine, EngineBinary, EngineName } from "./engines.ts";
import { EngineError } from "./error.ts";
import { buildFlags, type EnginePin } from "./pin.ts";
import { runCommand, type RunResult } from "./run-command.ts";

export type BuildPhase = "waiting" | "pulling" | "downloading" | "generating" | "compiling" | "linking" | "done";

export interface BuildProgress {
  readonly engine: EngineName;
  readonly binary: string;
  readonly phase: BuildPhase;
  /** Modules while downloading, packages while compiling; 0 in the other phases. */
  readonly done: number;
  /** 0 where the end is not known. Packages the Go cache already holds are not counted. */
  readonly total: number;
  readonly elapsedMs: number;
  /** A word to the phase: who holds the lock, which image is pulled. */
  readonly detail?: string;
}

export type ReportProgress = (phase: BuildPhase, done?: number, total?: number, detail?: string) => void;

export interface BuildOptions {
  readonly engine: Engine;
  readonly binary: EngineBinary;
  readonly pin: EnginePin;
  readonly outFile: string;
  readonly repoRoot: string;
  readonly env: Environment;
  readonly report: ReportProgress;
  readonly signal?: AbortSignal;
  /** Default: what the file system says. */
  readonly freeBytes?: (existingPath: string) => Promise<number>;
}

/** Measured from empty caches: all engines take 10.6 GB of modules and compiled packages, Loki alone up to 4. */
const neededBytes = 4 * 1024 ** 3;

/** Builds from the pinned modules, each verified by the committed go.sum; the file appears whole or not at all. */
export async function buildBinary(options: BuildOptions): Promise<void> {
  const { engine, pin, outFile, report, signal } = options;
  const directory = dirname(outFile);
  await mkdir(directory, { recursive: true });
  const goDirectories = await checkGo(options);
  await checkDisk([directory, ...goDirectories], options.freeBytes ?? freeBytes);
  const draft = `${outFile}.${pid}.draft`;
  const scratch = engine.manifest === undefined ? undefined : await mkdtemp(join(directory, "sources-"));
  try {
    const module = scratch ?? join(options.repoRoot, engine.folder);
    if (scratch !== undefined) await generateSources(options, scratch);
    const total = await countStale(options, module);
    let compiled = 0;
    report(total === 0 ? "linking" : "compiling", 0, total);
    const built = await go(
      options,
      module,
      ["build", "-v", ...buildFlags(engine, pin.release), "-o", draft, options.binary.package],
      (line) => {
        if (!isPackageLine(line)) return;
        compiled += 1;
        report(compiled >= total ? "linking" : "compiling", Math.min(compiled, total), total);
      },
    );
    throwIfFailed(options, built);
    signal?.throwIfAborted();
    await rename(draft, outFile);
    report("done");
  } finally {
    await rm(draft, { force: true });
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** The builder writes a main package; go.mod and go.sum stay the committed ones, so they verify that package too. */
async function generateSources(options: BuildOptions, scratch: string): Promise<void> {
  const folder = join(options.repoRoot, options.engine.folder);
  const manifest = options.engine.manifest ?? "";
  for (const file of ["go.mod", "go.sum", manifest]) await copyFile(join(folder, file), join(scratch, file));
  let downloaded = 0;
  options.report("generating");
  const generated = await go(
    options,
    scratch,
    ["tool", "builder", "--config", manifest, "--skip-compilation", "--skip-get-modules"],
    (line) => {
      if (isDownloadLine(line)) options.report("downloading", (downloaded += 1));
    },
  );
  throwIfFailed(options, generated);
  // Without its own go.mod the generated folder is a package of the module around it.
  await rm(join(scratch, "build", "go.mod"), { force: true });
}

/** Lists the packages of the build, which downloads the missing modules, and counts those that must be compiled. */
async function countStale(options: BuildOptions, module: string): Promise<number> {
  let downloaded = 0;
  options.report("downloading");
  const flags = buildFlags(options.engine, options.pin.release);
  const listed = await go(
    options,
    module,
    ["list", "-deps", "-f", "{{.Stale}}", ...flags, options.binary.package],
    (line) => {
      if (isDownloadLine(line)) options.report("downloading", (downloaded += 1));
    },
  );
  throwIfFailed(options, listed);
  return listed.stdout.split("\n").filter((line) => line === "true").length;
}

function go(
  options: BuildOptions,
  cwd: string,
  args: readonly string[],
  onErrorLine: (line: string) => void,
): Promise<RunResult> {
  return runCommand(["go", ...args], {
    cwd,
    env: {
      ...options.env,
      CGO_ENABLED: "0",
      GOFLAGS: "-mod=readonly",
      GOWORK: "off",
    },
    onErrorLine,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Answers the directories in which Go keeps modules and compiled packages. */
async function checkGo(options: BuildOptions): Promise<readonly string[]> {
  const { engine, pin, env } = options;
  const need = `Go ${pin.goVersion} or newer`;
  if (Bun.which("go", { PATH: env["PATH"] ?? "" }) === null) {
    throw new EngineError(
      "go_missing",
      `${engine.title} cannot be built: there is no \`go\` on PATH. Install ${need} (https://go.dev/dl).`,
    );
  }
  const asked = await runCommand(["go", "env", "GOVERSION", "GOTOOLCHAIN", "GOCACHE", "GOMODCACHE"], { env });
  const [goVersion = "", toolchain = "", ...directories] = asked.stdout.split("\n").map((line) => line.trim());
  const version = /^go(\d+\.\d+(?:\.\d+)?)/.exec(goVersion)?.[1];
  // With GOTOOLCHAIN=auto an older Go fetches the one go.mod asks for.
  const isOld = version !== undefined && Bun.semver.order(fullVersion(version), fullVersion(pin.goVersion)) < 0;
  if (isOld && !toolchain.startsWith("auto")) {
    throw new EngineError(
      "go_too_old",
      `${engine.title} cannot be built: Go ${version} is too old. Install ${need}, or set GOTOOLCHAIN=auto.`,
    );
  }
  return directories.filter((directory) => directory !== "");
}

function fullVersion(version: string): string {
  return version.split(".").length === 2 ? `${version}.0` : version;
}

async function checkDisk(
  directories: readonly string[],
  free: (existingPath: string) => Promise<number>,
): Promise<void> {
  for (const directory of directories) {
    const bytes = await free(await nearestExisting(directory));
    if (bytes < neededBytes) throw diskNearlyFull(directory, bytes);
  }
}

async function freeBytes(existingPath: string): Promise<number> {
  const disk = await statfs(existingPath);
  return disk.bavail * disk.bsize;
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function diskNearlyFull(directory: string, freeBytes: number): EngineError {
  const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;
  return new EngineError(
    "disk_nearly_full",
    `The disk under ${directory} has ${gigabytes(freeBytes)} free; a build needs ${gigabytes(neededBytes)}. ` +
      "Free some, or set VITRINE_CACHE_DIR, GOCACHE and GOMODCACHE to a larger disk.",
  );
}

const offlineSigns =
  /dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|proxyconnect|unexpected EOF|network is unreachable|module lookup disabled|\b(?:403|404|410|502|503) [A-Z]/;

function throwIfFailed(options: BuildOptions, result: RunResult): void {
  if (result.exitCode === 0) return;
  const tail = result.stderr
    .trim()
    .split("\n")
    .filter((line) => !isPackageLine(line))
    .slice(-15)
    .join("\n");
  if (result.stderr.includes("no space left on device")) {
    throw new EngineError(
      "disk_nearly_full",
      `The disk became full while ${options.binary.name} was built. Free some and start again.\n${tail}`,
    );
  }
  if (offlineSigns.test(tail)) {
    throw new EngineError(
      "download_failed",
      `The Go modules of ${options.binary.name} could not be downloaded: check the network, or set GOPROXY to a proxy you can reach.\n${tail}`,
    );
  }
  throw new EngineError("build_failed", `${options.binary.name} ${options.pin.release} did not build:\n${tail}`);
}

function isDownloadLine(line: string): boolean {
  return line.startsWith("go: downloading ");
}

/** `go build -v` prints the import path of each package it compiles, alone on its line. */
function isPackageLine(line: string): boolean {
  return /^[\w.~/-]+$/.test(line);
}
