import { expect, test } from "bun:test";
import { join } from "node:path";
import { engines, repositoryRoot } from "../../dev/engines/engines.ts";
import { readPin } from "../../dev/engines/pin.ts";

const component = /^\s*- gomod: (\S+) (v\S+)$/gm;

const compose = Bun.file(join(repositoryRoot, "compose.yaml"));

test("the collector's manifest names the versions its go.mod pins", async () => {
  const goMod = await Bun.file(join(repositoryRoot, "otel-collector/go.mod")).text();
  const manifest = await Bun.file(join(repositoryRoot, "otel-collector/manifest.yaml")).text();
  const components = [...manifest.matchAll(component)].map(([, module, version]) => `\t${module} ${version}\n`);
  expect(components.length).toBeGreaterThan(15);
  expect(components.filter((line) => !goMod.includes(line))).toEqual([]);
  const collector = engines.find(({ manifest: file }) => file !== undefined);
  if (collector === undefined) throw new Error("no engine has a manifest");
  const { release } = await readPin(collector, repositoryRoot);
  expect(Bun.YAML.parse(manifest)).toMatchObject({ dist: { version: release } });
});

test.skipIf(!(await compose.exists()))("compose.yaml runs the pinned version of every engine", async () => {
  const images = [...(await compose.text()).matchAll(/^\s+image: "?([^\s"]+)"?/gm)].map(([, image]) => image);
  for (const engine of engines) {
    const { image } = await readPin(engine, repositoryRoot);
    const [repository] = image.split(":");
    expect(images.filter((name) => name?.split(/[:@]/)[0] === repository)).toEqual([image]);
  }
});
