import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { scopes } from "@vitrine/contracts/scopes";
import { z } from "zod";
import { ownClientId } from "./access-tokens.ts";
import { type ClientKeySet, clientKeySet } from "./client-assertions.ts";
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
    clientJwks: clientKeySet.optional(),
    clientJwksFile: z.string().min(1).optional(),
    service: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, "lower-case letters, digits and dashes")
      .optional(),
    scopes: z.array(z.enum(scopes, { error: "is not a scope" })).min(1, "must name at least one scope"),
    mayImpersonate: z.boolean().default(false),
  })
  .refine((client) => credentialsOf(client) > 0, {
    path: ["clientSecret"],
    error:
      "set clientSecret or clientSecretFile, one of them, or the client's public keys by clientJwks or clientJwksFile",
  })
  .refine((client) => client.clientSecret === undefined || client.clientSecretFile === undefined, {
    path: ["clientSecret"],
    error: "set clientSecret or clientSecretFile, one of them",
  })
  .refine((client) => client.clientJwks === undefined || client.clientJwksFile === undefined, {
    path: ["clientJwks"],
    error: "set clientJwks or clientJwksFile, one of them",
  });

function credentialsOf(client: Readonly<Record<string, unknown>>): number {
  const names = ["clientSecret", "clientSecretFile", "clientJwks", "clientJwksFile"];
  return names.filter((name) => client[name] !== undefined).length;
}

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

function readEntry(value: unknown, directory: string, fault: Fault): StoredClient | undefined {
  const parsed = entry.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) fault(issue.path.join(".") || "entry", issue.message);
    return undefined;
  }
  const { clientId, service, scopes, mayImpersonate } = parsed.data;
  const secret = readSecret(parsed.data, directory, fault);
  const jwks = readKeys(parsed.data, directory, fault);
  if (secret === undefined && jwks === undefined) return undefined;
  const secretHash = secret === undefined ? undefined : hashSecret(secret);
  return { clientId, secretHash, jwks, service, scopes, mayImpersonate };
}

type Fault = (field: string, message: string) => void;

function readSecret(
  { clientSecret, clientSecretFile }: z.infer<typeof entry>,
  directory: string,
  fault: Fault,
): string | undefined {
  if (clientSecretFile === undefined) return clientSecret;
  const secret = readText(resolve(directory, clientSecretFile), (message) => fault("clientSecretFile", message));
  if (secret === undefined || secret.length >= minSecretLength) return secret;
  fault("clientSecretFile", tooShort);
  return undefined;
}

function readKeys(
  { clientJwks, clientJwksFile }: z.infer<typeof entry>,
  directory: string,
  fault: Fault,
): ClientKeySet | undefined {
  if (clientJwksFile === undefined) return clientJwks;
  const text = readText(resolve(directory, clientJwksFile), (message) => fault("clientJwksFile", message));
  if (text === undefined) return undefined;
  try {
    const keys = clientKeySet.safeParse(JSON.parse(text));
    if (keys.success) return keys.data;
    for (const issue of keys.error.issues) fault(`clientJwksFile.${issue.path.join(".")}`, issue.message);
  } catch {
    fault("clientJwksFile", "is not JSON");
  }
  return undefined;
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
