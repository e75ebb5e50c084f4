import { chmod, chown, copyFile, lstat, mkdir, readdir, readlink, rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../setup-error.ts";

export interface CopyOptions {
  /** Folders and files that stay behind, by their path below the source. */
  readonly skip?: (path: string) => boolean;
}

/**
 * Copies a folder with modes and, where this process may give files away, owners. What disappears while it is copied is
 * left out: the programs that own the folders remove files at any time, and know to do without.
 */
export async function copyTree(from: string, to: string, { skip = () => false }: CopyOptions = {}): Promise<void> {
  const copy = async (path: string): Promise<void> => {
    const [source, target] = [join(from, path), join(to, path)];
    const found = await lstat(source);
    if (found.isSymbolicLink()) {
      await symlink(await readlink(source), target);
      return;
    }
    if (found.isFile()) await copyFile(source, target);
    else if (found.isDirectory()) await mkdir(target, { recursive: true });
    else return;
    await chmod(target, found.mode & 0o7777);
    await chown(target, found.uid, found.gid).catch(ignoreForeign);
    if (found.isFile()) return;
    for (const name of await readdir(source)) {
      const below = path === "" ? name : `${path}/${name}`;
      if (!skip(below)) await copy(below).catch(ignoreGone);
    }
  };
  await copy("");
}

/** Puts a copy in a place; returns where what was there lies now. */
export async function replaceTree(from: string, place: string, suffix: string): Promise<string | undefined> {
  const aside = `${place}.${suffix}`;
  await mkdir(dirname(place), { recursive: true });
  const moved = await rename(place, aside).then(
    () => true,
    (error: unknown) => {
      ignoreGone(error);
      return false;
    },
  );
  await copyTree(from, place);
  return moved ? aside : undefined;
}

function ignoreGone(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

/** Only root may give files to others; whoever is not root owns all of them anyway. */
function ignoreForeign(error: unknown): void {
  if (codeOf(error) !== "EPERM") throw error;
}
