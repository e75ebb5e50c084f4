import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { scopes } from "@vitrine/contracts/scopes";
import { z } from "zod";
import { ownClientId } from "./access-tokens.ts";
import { hashSecret, minSecretLength } from "./client-secrets.ts";
import { clientIdForm, type StoredClient } from "./store/clients.ts";

const tooShort = `must have at least ${minSecretLength} characters (32 random bytes as base64url)`;

const entry = z
  .strictObject({
    clientId: z
      .string()
      .regex(clientIdForm, "lower-case letters, digits and dashes, at most 64")
      .refine((clientId) => clientId !== ownClientId, `${ownClientId} is the name of people's own tokens`),
    clientSecret: z.string().min(minSecretLength, tooShort).optional(),
    clientSecretFile: z.string().min(1).optional(),
    service: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, "lower-case letters, digits and dashes")
      .optional(),
    scopes: z.array(z.enum(scopes, { error: "is not a scope" })).min(1, "must name at least one scope"),
    mayImpersonate: z.boolean().default(false),
  })
  .refine(({ clientSecret, clientSecretFile }) => (clientSecret === undefined) !== (clientSecretFile === undefined), {
    path: ["clientSecret"],
    error: "set clientSecret or clientSecretFile, one of them",
  });

export interface PresetClients {
  readonly clients: readonly StoredClient[];
  /** Every fault by entry and field; secrets are never repeated in it. */
  readonly faults: readonly string[];
}

/** Reads the OAuth clients a deployment starts with. Relative secret files lie beside the clients file. */
export function readPresetClients(path: string): PresetClients {
  const faults: string[] = [];
  const clients: StoredClient[] = [];
  for (const [index, value] of readEntries(path, faults).entries()) {
    const client = readEntry(value, dirname(path), (field, message) =>
      faults.push(`entry ${index + 1}${nameOf(value)}, ${field}: ${message}`),
    );
    if (client === undefined) continue;
    if (clients.some(({ clientId }) => clientId === client.clientId))
      faults.push(`entry ${index + 1} (${client.clientId}), clientId: is used twice`);
    else clients.push(client);
  }
  return { clients, faults };
}

function readEntries(path: string, faults: string[]): readonly unknown[] {
  const text = readText(path, (message) => faults.push(message));
  if (text === undefined) return [];
  try {
    const document: unknown = JSON.parse(text);
    if (Array.isArray(document)) return document;
  } catch {
    // What the parser says may repeat a secret; that it is not JSON says enough.
  }
  faults.push(`${path} must be a JSON array of clients`);
  return [];
}

function readEntry(
  value: unknown,
  directory: string,
  fault: (field: string, message: string) => void,
): StoredClient | undefined {
  const parsed = entry.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) fault(issue.path.join(".") || "entry", issue.message);
    return undefined;
  }
  const { clientId, clientSecret, clientSecretFile, service, scopes, mayImpersonate } = parsed.data;
  const secret =
    clientSecret ??
    readText(resolve(directory, clientSecretFile ?? ""), (message) => fault("clientSecretFile", message));
  if (secret === undefined) return undefined;
  if (secret.length < minSecretLength) {
    fault("clientSecretFile", tooShort);
    return undefined;
  }
  return { clientId, secretHash: hashSecret(secret), service, scopes, mayImpersonate };
}

function readText(path: string, fault: (message: string) => void): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    fault(`cannot read ${path} (${error instanceof Error ? error.message : "unknown error"})`);
    return undefined;
  }
}

function nameOf(value: unknown): string {
  const named = z.object({ clientId: z.string().regex(clientIdForm) }).safeParse(value);
  return named.success ? ` (${named.data.clientId})` : "";
}
