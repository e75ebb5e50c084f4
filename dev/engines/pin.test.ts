import { describe, expect, test } from "bun:test";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { engineNamed, engines, repositoryRoot, type Engine } from "./engines.ts";
import { entryName, namesRelease, readPin } from "./pin.ts";
import { caught, temporaryDirectory } from "./testing.ts";

function engine(name: string): Engine {
  const found = engineNamed(name);
  if (found === undefined) throw new Error(`no engine ${name}`);
  return found;
}

describe("release", () => {
  test.each([
    ["collector", "v0.152.0", "0.152.0"],
    ["prometheus", "v0.315.0", "3.15.0"],
    ["prometheus", "v0.305.2", "3.5.2"],
    ["loki", "v3.7.8", "3.7.8"],
    ["alertmanager", "v0.31.1", "0.31.1"],
    ["jaeger", "v1.76.0", "2.13.0"],
    ["jaeger", "v1.68.1", "2.5.1"],
  ])("the %s module %s is release %s", (name, moduleVersion, release) => {
    expect(engine(name).release(moduleVersion)).toBe(release);
  });
});

describe("namesRelease", () => {
  test.each([
    ["prometheus, version 3.15.0 (branch: HEAD)", true],
    ['{"gitVersion":"v3.15.0"}', true],
    ["prometheus, version 3.15.01", false],
    ["prometheus, version 13.15.0", false],
    ["prometheus, version 3.15.0-rc.1", false],
    ["", false],
  ])("%p: %p", (output, expected) => {
    expect(namesRelease(output, "3.15.0")).toBe(expected);
  });
});

describe("readPin", () => {
  test.each(engines.map((one) => [one.name, one] as const))("the committed pin of %s is readable", async (_, one) => {
    const pin = await readPin(one, repositoryRoot);
    expect(pin.moduleVersion).toStartWith("v");
    expect(pin.goVersion).toMatch(/^\d+\.\d+/);
    expect(pin.image).toEndWith(pin.release);
    expect(pin.fingerprint).toMatch(/^[0-9a-f]{12}$/);
  });

  test("a changed checksum gives another cache entry", async () => {
    const one = engine("collector");
    await using directory = await temporaryDirectory();
    await cp(join(repositoryRoot, one.folder), join(directory.path, one.folder), { recursive: true });
    const before = await readPin(one, directory.path);
    expect(before).toEqual(await readPin(one, repositoryRoot));
    const manifest = join(directory.path, one.folder, "manifest.yaml");
    await Bun.write(manifest, `${await Bun.file(manifest).text()}\n# changed\n`);
    expect(entryName(one, await readPin(one, directory.path))).not.toBe(entryName(one, before));
  });

  test("a folder without a pin is named in the error", async () => {
    await using directory = await temporaryDirectory();
    const one = engine("loki");
    const missing = await caught(readPin(one, directory.path));
    expect(missing).toMatchObject({ name: "EngineError", code: "pin_unreadable" });
    expect(String(missing)).toContain("loki/go.mod");
    await mkdir(join(directory.path, "loki"));
    await Bun.write(join(directory.path, "loki/go.mod"), "module vitrine/loki\n\ngo 1.26\n");
    await Bun.write(join(directory.path, "loki/go.sum"), "");
    const empty = await caught(readPin(one, directory.path));
    expect(empty).toMatchObject({ name: "EngineError", code: "pin_unreadable" });
    expect(String(empty)).toContain(one.module);
  });
});
