import { createHash } from "node:crypto";
import { arch, platform } from "node:os";
import { join } from "node:path";
import type { Engine, EngineBinary } from "./engines.ts";
import { EngineError } from "./error.ts";

export interface EnginePin {
  /** As in go.mod, e.g. `v0.315.0`. */
  readonly moduleVersion: string;
  /** What the engine calls itself, e.g. `3.15.0`. */
  readonly release: string;
  /** The Go release go.mod asks for, e.g. `1.26.0`. */
  readonly goVersion: string;
  readonly image: string;
  /** Changes with anything that changes the binary: pins, sums, manifest, flags, platform. */
  readonly fingerprint: string;
}

/** go.mod is the one place that holds an engine's version; everything else is derived here. */
export async function readPin(engine: Engine, repoRoot: string): Promise<EnginePin> {
  const folder = join(repoRoot, engine.folder);
  const files = ["go.mod", "go.sum", ...(engine.manifest === undefined ? [] : [engine.manifest])];
  const contents: string[] = [];
  for (const file of files) contents.push(await readPinFile(join(folder, file)));
  const goMod = contents[0] ?? "";
  const moduleVersion = pinnedVersion(goMod, engine.module);
  const goVersion = /^go (\S+)$/m.exec(goMod)?.[1];
  if (moduleVersion === undefined || goVersion === undefined) {
    throw new EngineError("pin_unreadable", `${engine.folder}/go.mod names no version of ${engine.module} or of Go`);
  }
  const release = engine.release(moduleVersion);
  const hash = createHash("sha256");
  for (const content of contents) hash.update(content).update("\0");
  hash.update(JSON.stringify([platform(), arch(), linkerFlags(engine, release), engine.tags]));
  return {
    moduleVersion,
    release,
    goVersion,
    image: `${engine.image.repository}:${engine.image.tagPrefix}${release}`,
    fingerprint: hash.digest("hex").slice(0, 12),
  };
}

export function buildFlags(engine: Engine, release: string): readonly string[] {
  return [
    "-mod=readonly",
    "-buildvcs=false",
    "-trimpath",
    `-tags=${engine.tags.join(",")}`,
    `-ldflags=${linkerFlags(engine, release)}`,
  ];
}

/** True if what the binary printed names exactly this release: 3.15.0 is not in "3.15.01" or "13.15.0". */
export function namesRelease(output: string, release: string): boolean {
  return output.split(/[^\w.-]+/).some((word) => word === release || word === `v${release}`);
}

export function entryName(engine: Engine, pin: EnginePin): string {
  return `${engine.name}-${pin.release}-${pin.fingerprint}`;
}

export function binaryFile(cacheDirectory: string, engine: Engine, pin: EnginePin, binary: EngineBinary): string {
  return join(cacheDirectory, "engines", entryName(engine, pin), binary.name);
}

function linkerFlags(engine: Engine, release: string): string {
  return ["-s -w", ...engine.versionVariables.map((variable) => `-X ${variable}=${release}`)].join(" ");
}

function pinnedVersion(goMod: string, module: string): string | undefined {
  for (const line of goMod.split("\n")) {
    const [path, version] = line
      .replace(/^require /, "")
      .trim()
      .split(/\s+/);
    if (path === module && version?.startsWith("v") === true) return version;
  }
  return undefined;
}

async function readPinFile(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (cause) {
    throw new EngineError("pin_unreadable", `${path} cannot be read: check the checkout out again`, { cause });
  }
}
