import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineSecrets } from "./command.ts";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), "vitrine-engines-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A folder with a secret of each kind, as `engineCommand` takes it; no other system knows them. */
export async function makeEngineSecrets(directory: string): Promise<string> {
  const folder = join(directory, "secrets");
  for (const name of engineSecrets) await Bun.write(join(folder, name), crypto.randomUUID());
  return folder;
}

/** A program made of shell built-ins, so that it runs with nothing else on PATH. */
export async function writeProgram(directory: string, name: string, script: string): Promise<string> {
  const path = join(directory, name);
  await Bun.write(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
