import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "../..");

const documents = (await Bun.$`git -C ${root} ls-files --cached --others --exclude-standard -- ${"*.md"}`.text())
  .split("\n")
  .filter((path) => path !== "");

test("documents are those of every folder", () => {
  expect(documents).toContain("README.md");
  expect(documents).toContain("docs/runbooks/HighErrorRate.md");
});

test.each(documents)("%s links to nothing that is not there", async (path) => {
  const text = await Bun.file(join(root, path)).text();
  const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, target]) => target ?? "");
  expect(targets.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
});

test.each(documents)("%s names only commands that exist", async (path) => {
  const text = await Bun.file(join(root, path)).text();
  const commands = [...text.matchAll(/\bbun(?:@[\d.]+)? run ([a-z:]+)/g)].map(([, command]) => command ?? "");
  expect(commands.filter((command) => !(command in packageJson.scripts))).toEqual([]);
});

test("every document names the Bun that is pinned", async () => {
  const pinned = packageJson.packageManager;
  for (const path of documents) {
    const versions = [...(await Bun.file(join(root, path)).text()).matchAll(/\bbun@\d+\.\d+\.\d+/g)].map(
      ([version]) => version,
    );
    expect({ path, versions: versions.filter((version) => version !== pinned) }).toEqual({ path, versions: [] });
  }
});
