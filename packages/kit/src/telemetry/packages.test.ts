import { describe, expect, test } from "bun:test";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const kit = join(import.meta.dir, "../..");
const watched = /^(?:@opentelemetry\/|pg$|pino$|hono$|jose$)/;

/** Where each OpenTelemetry package lies that the kit can reach, and what else it rests on, by name. */
async function reachable(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>();
  const queue = [kit];
  const visited = new Set<string>();
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (visited.has(folder)) continue;
    visited.add(folder);
    const manifest = (await Bun.file(join(folder, "package.json")).json()) as Manifest;
    if (folder !== kit) found.set(manifest.name, (found.get(manifest.name) ?? new Set()).add(folder));
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (watched.test(name)) queue.push(...(await resolve(name, folder)));
    }
  }
  return found;
}

/** As the runtime looks: in the node_modules of each folder upwards from the real place of the package. */
async function resolve(name: string, from: string): Promise<readonly string[]> {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (await Bun.file(join(candidate, "package.json")).exists()) return [await realpath(candidate)];
  }
  return [];
}

describe("the packages the kit rests on", () => {
  test("are there once each: a second copy of an SDK package loses telemetry in silence", async () => {
    const found = await reachable();
    const stateful = ["api", "core", "resources", "sdk-trace", "sdk-metrics", "sdk-logs", "sdk-node"];
    const copies = stateful.map((name) => [name, found.get(`@opentelemetry/${name}`)?.size]);
    expect(copies).toEqual(stateful.map((name) => [name, 1]));
  });

  test("do not include the old home of the logs API, whose records go nowhere", async () => {
    expect((await reachable()).has("@opentelemetry/api-logs")).toBe(false);
  });

  test("instrument pg with its connect spans: without them queries land in traces of other requests", async () => {
    expect(await Bun.file(join(import.meta.dir, "setup.ts")).text()).not.toContain("ignoreConnectSpans");
  });
});
