import { randomBytes, randomUUID } from "node:crypto";
import { chmod, link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const composeSchema = z.looseObject({ secrets: z.record(z.string(), z.looseObject({ file: z.string() })) });

/** Database URLs name their role by the secret's own name: `orders_database_url` is that of `orders`. */
const databaseUrl = /^([a-z]+)_database_url$/;

export interface MadeSecrets {
  readonly made: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Makes each secret that compose.yaml names and that is not there yet; what is there is never touched.
 * The folder is closed to other users and the files are open: a container's user is none of this machine, and Docker
 * mounts the file itself, past the folder.
 */
export async function makeComposeSecrets(composeText: string, folder: string): Promise<MadeSecrets> {
  const names = Object.keys(composeSchema.parse(Bun.YAML.parse(composeText)).secrets);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const outcomes = await Promise.all(
    names.map(async (name) => ({ name, isNew: await writeOnce(join(folder, name), secretFor(name)) })),
  );
  const named = (isNew: boolean) => outcomes.filter((outcome) => outcome.isNew === isNew).map(({ name }) => name);
  return { made: named(true), kept: named(false) };
}

function secretFor(name: string): string {
  // Its owner fills it in: services/notifier/README.md.
  if (name === "notifier_targets") return "[]";
  const random = randomBytes(32).toString("base64url");
  const role = databaseUrl.exec(name)?.[1];
  return role === undefined ? random : `postgres://${role}:${random}@postgres:5432/vitrine`;
}

/** Linked into place whole: a run that is ended halfway leaves no half secret behind. */
async function writeOnce(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    await writeFile(draft, content, { flag: "wx" });
    await chmod(draft, 0o444);
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
