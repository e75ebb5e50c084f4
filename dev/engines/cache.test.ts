import { expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, cleanCache, fileSize } from "./cache.ts";
import { temporaryDirectory } from "./testing.ts";

test.each([
  [{ VITRINE_CACHE_DIR: "/own", XDG_CACHE_HOME: "/xdg", HOME: "/home/a" }, "/own"],
  [{ VITRINE_CACHE_DIR: "", XDG_CACHE_HOME: "/xdg", HOME: "/home/a" }, "/xdg/vitrine"],
  [{ HOME: "/home/a" }, "/home/a/.cache/vitrine"],
])("%p gives %s", (env, expected) => {
  expect(cacheDirectory(env)).toBe(expected);
});

test("clean removes every version of the named engines and nothing else", async () => {
  await using directory = await temporaryDirectory();
  for (const entry of ["engines/loki-3.7.7-aaaa", "engines/loki-3.7.8-bbbb", "engines/jaeger-2.13.0-cccc", "other"]) {
    await mkdir(join(directory.path, entry), { recursive: true });
  }
  expect([...(await cleanCache(directory.path, ["loki"]))].sort()).toEqual(["loki-3.7.7-aaaa", "loki-3.7.8-bbbb"]);
  expect(await readdir(join(directory.path, "engines"))).toEqual(["jaeger-2.13.0-cccc"]);
  expect(await readdir(directory.path)).toContain("other");
});

test("a directory is no cached binary", async () => {
  await using directory = await temporaryDirectory();
  await Bun.write(join(directory.path, "engine"), "1234");
  expect(await fileSize(join(directory.path, "engine"))).toBe(4);
  expect(await fileSize(directory.path)).toBeUndefined();
  expect(await fileSize(join(directory.path, "absent"))).toBeUndefined();
});
