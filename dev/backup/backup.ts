import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { contentsOf, type Manifest, writeManifest } from "./manifest.ts";
import type { System } from "./system.ts";

export interface BackupOptions {
  readonly system: System;
  /** Made; must not be there yet. */
  readonly folder: string;
  readonly now: Date;
}

/**
 * Copies what the running system keeps into a folder that is there whole or not at all, readable by its owner only: it
 * holds the secrets too, without which what is encrypted in the database could not be read.
 *
 * @throws {SetupError} when the system does not run
 */
export async function backUp({ system, folder, now }: BackupOptions): Promise<Manifest> {
  await system.checkRuns();
  const draft = `${folder}.draft`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const contents: Manifest["parts"] = {};
    for (const part of system.parts) {
      await system.save[part](join(draft, part));
      contents[part] = await contentsOf(join(draft, part));
    }
    const manifest: Manifest = { version: 1, system: system.name, createdAt: now.toISOString(), parts: contents };
    await writeManifest(draft, manifest);
    await rename(draft, folder);
    return manifest;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
