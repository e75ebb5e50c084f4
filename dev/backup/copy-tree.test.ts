import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "../engines/testing.ts";
import { copyTree } from "./copy-tree.ts";

test("a folder is copied with its modes and links, without what is to stay behind", async () => {
  await using directory = await temporaryDirectory();
  const [from, to] = [join(directory.path, "from"), join(directory.path, "to")];
  await mkdir(join(from, "deep/empty"), { recursive: true });
  await writeFile(join(from, "deep/kept"), "kept");
  await writeFile(join(from, "deep/left"), "left");
  await symlink("deep/kept", join(from, "link"));
  await chmod(join(from, "deep/kept"), 0o600);
  await chmod(join(from, "deep"), 0o700);
  await copyTree(from, to, { skip: (path) => path === "deep/left" });
  expect((await readdir(to, { recursive: true })).sort()).toEqual(["deep", "deep/empty", "deep/kept", "link"]);
  expect(await Bun.file(join(to, "deep/kept")).text()).toBe("kept");
  expect(await readlink(join(to, "link"))).toBe("deep/kept");
  expect((await lstat(join(to, "deep/kept"))).mode & 0o777).toBe(0o600);
  expect((await lstat(join(to, "deep"))).mode & 0o777).toBe(0o700);
});

test("what disappears while it is copied is left out, and what is not there at all is an error", async () => {
  await using directory = await temporaryDirectory();
  const [from, to] = [join(directory.path, "from"), join(directory.path, "to")];
  await mkdir(from);
  for (const name of ["a", "b"]) await writeFile(join(from, name), name);
  // It is asked about each between listing and copying.
  const skip = (path: string): boolean => {
    if (path === "b") rmSync(join(from, path));
    return false;
  };
  await copyTree(from, to, { skip });
  expect(await readdir(to)).toEqual(["a"]);
  expect(copyTree(join(directory.path, "nothing"), to)).rejects.toThrow("ENOENT");
});
