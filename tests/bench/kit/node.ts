import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** The oldest major the auto-instrumentation was seen to run on, below what its package asks for. */
const oldestMajor = 20;

/** Finds a Node that can run the outside baseline. */
export function findNode(path: string): { readonly node: string; readonly version: string } | { reason: string } {
  const node = Bun.which("node", { PATH: path });
  if (node === null) return { reason: "no node on PATH" };
  const asked = Bun.spawnSync([node, "-p", "process.versions.bun ?? process.version"], { env: { PATH: path } });
  const version = asked.stdout.toString().trim();
  // `bun --bun` puts a node on PATH that is Bun itself: no outside baseline.
  if (!version.startsWith("v")) return { reason: `the node on PATH is not Node (${version || "it does not run"})` };
  if (Number(/^v(\d+)/.exec(version)?.[1]) < oldestMajor) {
    return { reason: `needs Node ${oldestMajor} or newer, found ${version}` };
  }
  return { node, version };
}

/** Builds a TypeScript entry to CommonJS where the packages of `tests` resolve; `remove` deletes it again. */
export async function buildForNode(
  entry: string,
): Promise<{ readonly script: string; readonly remove: () => Promise<void> }> {
  const cache = join(import.meta.dir, "../../node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const outdir = await mkdtemp(join(cache, "bench-"));
  await Bun.build({
    entrypoints: [entry],
    outdir,
    target: "node",
    format: "cjs",
    packages: "external",
    naming: "app.cjs",
  });
  return { script: join(outdir, "app.cjs"), remove: () => rm(outdir, { recursive: true, force: true }) };
}
