import { join } from "node:path";
import { SetupError } from "../setup-error.ts";
import { contentsOf, type Manifest, readManifest } from "./manifest.ts";
import { type Part, parts, type System } from "./system.ts";

export interface RestoreOptions {
  readonly system: System;
  readonly folder: string;
  readonly now: Date;
}

export interface Restored {
  readonly manifest: Manifest;
  /** What was there before, moved aside. */
  readonly aside: readonly string[];
}

/**
 * Puts a backup in the place of what the system keeps; what was there is moved aside, never removed.
 *
 * @throws {SetupError} when the system runs, or the backup is not whole or of another; nothing has been touched then
 */
export async function restore({ system, folder, now }: RestoreOptions): Promise<Restored> {
  const manifest = await readManifest(folder);
  if (manifest.system !== system.name)
    throw new SetupError(`${folder} is of the system ${described[manifest.system]}: restore it there.`);
  const kept = parts.filter((part) => manifest.parts[part] !== undefined);
  for (const part of kept) await checkWhole(join(folder, part), part, manifest);
  using owned = new DisposableStack();
  owned.use(await system.claim());
  const aside: string[] = [];
  const suffix = `before-${now.toISOString().replaceAll(/[:.]/g, "-")}`;
  for (const part of kept) {
    const moved = await system.replace(part, join(folder, part), suffix);
    if (moved !== undefined) aside.push(moved);
  }
  return { manifest, aside };
}

const described = { desk: "of `bun run dev`", compose: "from images (--compose)" } as const;

async function checkWhole(folder: string, part: Part, manifest: Manifest): Promise<void> {
  const found = await contentsOf(folder).catch(() => undefined);
  if (!Bun.deepEquals(found, manifest.parts[part]))
    throw new SetupError(
      `${folder} is not whole: something in it was lost or changed. Take another copy of this backup.`,
    );
}
