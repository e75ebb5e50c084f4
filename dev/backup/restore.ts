import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Layout } from "../layout.ts";
import { acquireRunnerLock } from "../runner-lock.ts";
import { codeOf, SetupError } from "../setup-error.ts";
import { copyTree } from "./copy-tree.ts";
import { contentsOf, type Manifest, type Part, parts, readManifest } from "./manifest.ts";

export interface RestoreOptions {
  readonly layout: Layout;
  readonly folder: string;
  readonly now: Date;
  readonly me: { readonly pid: number; readonly startTicks: number };
}

export interface Restored {
  readonly manifest: Manifest;
  /** What was there before, moved aside. */
  readonly aside: readonly string[];
}

/**
 * Puts a backup in the place of what the system keeps; what was there is moved aside, never removed.
 *
 * @throws {SetupError} when the system runs, or the backup is not whole; nothing has been touched then
 */
export async function restore({ layout, folder, now, me }: RestoreOptions): Promise<Restored> {
  const manifest = await readManifest(folder);
  for (const part of parts) await checkWhole(join(folder, part), part, manifest);
  using owned = new DisposableStack();
  owned.use(acquireRunnerLock(layout, me));
  const aside: string[] = [];
  const suffix = `before-${now.toISOString().replaceAll(/[:.]/g, "-")}`;
  for (const part of parts) {
    const place = placeOf(layout, part);
    await mkdir(dirname(place), { recursive: true });
    if (await moveAside(place, `${place}.${suffix}`)) aside.push(`${place}.${suffix}`);
    await copyTree(join(folder, part), place);
  }
  return { manifest, aside };
}

function placeOf(layout: Layout, part: Part): string {
  switch (part) {
    case "postgres":
    case "loki":
      return join(layout.data, part);
    case "prometheus":
      return join(layout.data, "prometheus/tsdb");
    case "secrets":
      return layout.secrets;
    default:
      return part satisfies never;
  }
}

async function moveAside(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function checkWhole(folder: string, part: Part, manifest: Manifest): Promise<void> {
  const found = await contentsOf(folder).catch(() => undefined);
  if (!Bun.deepEquals(found, manifest.parts[part]))
    throw new SetupError(
      `${folder} is not whole: something in it was lost or changed. Take another copy of this backup.`,
    );
}
