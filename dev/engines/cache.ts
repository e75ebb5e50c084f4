import { readdir, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Shared by all checkouts of one user: `$VITRINE_CACHE_DIR`, else `vitrine` in the user's cache directory. */
export function cacheDirectory(env: Environment): string {
  const own = env["VITRINE_CACHE_DIR"];
  if (own !== undefined && own !== "") return own;
  const xdg = env["XDG_CACHE_HOME"];
  if (xdg !== undefined && xdg !== "") return join(xdg, "vitrine");
  return join(env["HOME"] ?? homedir(), ".cache", "vitrine");
}

export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    // Absent is the answer asked for; a file that cannot be looked at is as good as absent.
    return undefined;
  }
}

/** Removes the cached builds of the named engines, of every version, and nothing else. Answers what it removed. */
export async function cleanCache(cache: string, engineNames: readonly string[]): Promise<readonly string[]> {
  const directory = join(cache, "engines");
  const entries = await readdir(directory).catch(() => []);
  const doomed = entries.filter((entry) => engineNames.some((name) => entry.startsWith(`${name}-`)));
  for (const entry of doomed) await rm(join(directory, entry), { recursive: true, force: true });
  return doomed;
}
