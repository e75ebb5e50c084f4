import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { messageOf, SetupError } from "../setup-error.ts";
import { parts, systemNames } from "./system.ts";

const contentsSchema = z.strictObject({
  files: z.int(),
  bytes: z.int(),
  /** SHA-256 of all names and contents. */
  digest: z.string(),
});

/** Of a part when it was made: a copy that lost or changed something on its way is not restored. */
export type Contents = z.infer<typeof contentsSchema>;

const manifestSchema = z.strictObject({
  version: z.literal(1),
  system: z.enum(systemNames),
  /** ISO 8601. */
  createdAt: z.string(),
  parts: z.partialRecord(z.enum(parts), contentsSchema),
});

export type Manifest = z.infer<typeof manifestSchema>;

const fileName = "backup.json";

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await Bun.write(join(folder, fileName), `${JSON.stringify(manifest, null, 2)}\n`);
}

export async function contentsOf(folder: string): Promise<Contents> {
  const hasher = new Bun.CryptoHasher("sha256");
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  let bytes = 0;
  for (const path of files.sort()) {
    hasher.update(`${path}\0`);
    for await (const chunk of Bun.file(join(folder, path)).stream()) {
      hasher.update(chunk);
      bytes += chunk.byteLength;
    }
  }
  return { files: files.length, bytes, digest: hasher.digest("hex") };
}

/** @throws {SetupError} when the folder is no backup of this version */
export async function readManifest(folder: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(await Bun.file(join(folder, fileName)).json());
  } catch (cause) {
    throw new SetupError(`${folder} is no backup made by \`bun run backup\`: ${messageOf(cause)}`, { cause });
  }
}
