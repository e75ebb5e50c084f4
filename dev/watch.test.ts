import { describe, expect, test } from "bun:test";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./engines/testing.ts";
import { serviceNames } from "./process-names.ts";
import { type Target, targetsOf, watchSources } from "./watch.ts";

describe("what a changed file starts anew", () => {
  test.each<[string, readonly Target[]]>([
    ["services/orders/src/app.ts", ["orders"]],
    ["services/orders/src/routes/orders.ts", ["orders"]],
    ["services/orders/migrations/0002-more.sql", ["orders"]],
    ["packages/kit/src/http/app.ts", serviceNames],
    ["packages/contracts/src/orders.ts", serviceNames],
    ["otel-collector/config.yaml", ["collector"]],
    ["prometheus/prometheus.yml", ["prometheus"]],
    ["prometheus/rules/slo.rules.yaml", ["prometheus"]],
    ["loki/loki.yaml", ["loki"]],
    ["jaeger/config.yaml", ["jaeger"]],
    ["alertmanager/alertmanager.yml", ["alertmanager"]],
  ])("%s", (path, targets) => {
    expect(targetsOf(path)).toEqual([...targets]);
  });

  test.each([
    "services/orders/src/app.test.ts",
    "services/orders/src/.app.ts.swp",
    "services/orders/src/4913",
    "services/orders/package.json",
    "services/orders/node_modules/zod/src/index.ts",
    "services/nobody/src/app.ts",
    "packages/kit/README.md",
    "packages/kit/src/testing/otlp-sink.ts",
    "prometheus/rules/slo.test.yaml",
    "prometheus/go.mod",
    "otel-collector/manifest.yaml",
    "loki/rules/README.md",
    "docs/notes.yaml",
  ])("%s: nothing", (path) => {
    expect(targetsOf(path)).toEqual([]);
  });
});

async function makeSources(root: string): Promise<void> {
  for (const folder of ["services/orders/src", "packages/kit/src", "otel-collector", "prometheus", "loki"])
    await mkdir(join(root, folder), { recursive: true });
  for (const folder of ["jaeger", "alertmanager"]) await mkdir(join(root, folder));
}

function watching(repoRoot: string) {
  const first = Promise.withResolvers<{ readonly targets: readonly Target[]; readonly paths: readonly string[] }>();
  const watcher = watchSources({
    repoRoot,
    quietMs: 60,
    onChange: (targets, paths) => first.resolve({ targets: [...targets], paths }),
  });
  return { change: first.promise, [Symbol.dispose]: () => watcher[Symbol.dispose]() };
}

describe("watching", () => {
  test("files saved together are one change", async () => {
    await using directory = await temporaryDirectory();
    await makeSources(directory.path);
    using watched = watching(directory.path);
    await writeFile(join(directory.path, "services/orders/src/a.ts"), "1");
    await writeFile(join(directory.path, "services/orders/src/b.ts"), "1");
    await writeFile(join(directory.path, "loki/loki.yaml"), "a: 1");
    const { targets, paths } = await watched.change;
    expect(targets.toSorted()).toEqual(["loki", "orders"]);
    expect(paths).toEqual(["loki/loki.yaml", "services/orders/src/a.ts", "services/orders/src/b.ts"]);
  });

  test("a file that an editor writes aside and moves into place is seen, also in a folder that is new", async () => {
    await using directory = await temporaryDirectory();
    await makeSources(directory.path);
    using watched = watching(directory.path);
    const folder = join(directory.path, "services/orders/src/routes");
    await mkdir(folder);
    await writeFile(join(folder, ".orders.ts.tmp"), "1");
    await rename(join(folder, ".orders.ts.tmp"), join(folder, "orders.ts"));
    expect((await watched.change).paths).toEqual(["services/orders/src/routes/orders.ts"]);
  });

  test("folders that are missing are an error to whoever asked, not to the process", () => {
    expect(() => watchSources({ repoRoot: "/nowhere", onChange: () => undefined })).toThrow("ENOENT");
  });
});
