import { randomBytes, randomUUID } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { type Layout, type SecretName, secretFile, targetsFile } from "./layout.ts";
import type { Ports } from "./ports.ts";
import { clients, databaseServices } from "./services.ts";
import { codeOf, SetupError } from "./setup-error.ts";

const privateFile = 0o600;
const privateFolder = 0o700;
/** 32 bytes: what AES-256 takes, and more than any guess. */
const secretBytes = 32;

export const databaseName = "vitrine";

/** Every secret a start needs. */
export function secretNames(): readonly SecretName[] {
  return [
    "postgres-password",
    "key-encryption-key",
    "notifier-encryption-key",
    "admin-password",
    "alertmanager-token",
    "collector-database-password",
    ...databaseServices.map((service): SecretName => `${service}-database-password`),
    ...clients.map(({ clientId }): SecretName => `${clientId}-client-secret`),
  ];
}

/**
 * Makes what is missing, readable by this user only, and never writes over a secret that is there: data already
 * encrypted or protected by it would be lost.
 */
export async function ensureSecrets(layout: Layout): Promise<void> {
  await mkdir(layout.secrets, { recursive: true, mode: privateFolder });
  await chmod(layout.secrets, privateFolder);
  for (const name of secretNames()) await ensureSecret(secretFile(layout, name));
}

async function ensureSecret(path: string, content?: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) {
    if ((found.mode & 0o077) !== 0) await chmod(path, privateFile);
    return;
  }
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, content ?? randomBytes(secretBytes).toString("base64url"), {
      mode: privateFile,
      flag: "wx",
    });
    // Linked into place whole: a start that is killed leaves no empty secret, and two starts agree on one.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** @throws {SetupError} when it is not there */
export async function readSecret(layout: Layout, name: SecretName): Promise<string> {
  const path = secretFile(layout, name);
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const why = codeOf(cause) === "ENOENT" ? "There is no" : "Nobody but its owner may read";
    throw new SetupError(`${why} ${path}: start \`bun run dev\` as the user who runs it; it makes the secrets.`, {
      cause,
    });
  }
}

/** Writes what services are given: a database address for each, the clients auth starts with, and whom alerts are told. */
export async function writeDerived(layout: Layout, ports: Ports): Promise<void> {
  for (const service of databaseServices) {
    const password = await readSecret(layout, `${service}-database-password`);
    const address = `postgres://${service}:${password}@127.0.0.1:${ports.postgres}/${databaseName}`;
    await replacePrivate(secretFile(layout, `${service}-database-url`), address);
  }
  await ensureSecret(targetsFile(layout), "[]\n");
  const presets = clients.map(({ clientId, service, scopes, mayImpersonate }) => {
    const clientSecretFile = secretFile(layout, `${clientId}-client-secret`);
    return { clientId, clientSecretFile, service, scopes, mayImpersonate };
  });
  await replacePrivate(secretFile(layout, "clients.json"), `${JSON.stringify(presets, null, 2)}\n`);
}

async function replacePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: privateFile, flag: "wx" });
  await rename(draft, path);
}
