import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@vitrine/kit/config";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { parseConfig } from "./config.ts";
import { newSecret } from "./testing/start-auth.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vitrine-auth-config-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function write(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function faultsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

async function validEnv(clients: unknown = []) {
  return {
    DATABASE_URL: "postgres://auth@127.0.0.1/vitrine",
    KEY_ENCRYPTION_KEY: newSecret(),
    CLIENTS_FILE: await write(`clients-${crypto.randomUUID()}.json`, clients),
  };
}

describe("environment", () => {
  test("secrets may come from files, the encryption key included", async () => {
    const { KEY_ENCRYPTION_KEY, ...env } = await validEnv();
    const file = await write("key", `${KEY_ENCRYPTION_KEY}\n`);
    const config = parseConfig({ ...env, KEY_ENCRYPTION_KEY_FILE: file });
    expect(Buffer.from(config.keyEncryptionKey).toString("base64url")).toBe(KEY_ENCRYPTION_KEY);
    expect(config.http).toEqual({ host: "127.0.0.1", port: 8081 });
    expect(config.people).toEqual({ demo: false, adminPassword: undefined });
  });

  test.each(["short-but-long-enough", newSecret().slice(1), `${newSecret()}A`, `${newSecret().slice(1)}+`])(
    "an encryption key that is not 32 bytes as base64url is a fault: %p",
    async (key) => {
      const faults = faultsOf({ ...(await validEnv()), KEY_ENCRYPTION_KEY: key });
      expect(faults).toEqual(["KEY_ENCRYPTION_KEY: must be 32 bytes as base64url, 43 characters"]);
    },
  );

  test("a first administrator's password that is guessed first is a fault", async () => {
    const faults = faultsOf({ ...(await validEnv()), ADMIN_PASSWORD: "password123" });
    expect(faults).toEqual(["ADMIN_PASSWORD: is one of the passwords that are guessed first"]);
  });

  test("all faults are named at once, those of the clients file among them", async () => {
    const faults = faultsOf({ KEY_ENCRYPTION_KEY: "x", CLIENTS_FILE: await write("wrong.json", [{ clientId: "A" }]) });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual(["DATABASE_URL", "KEY_ENCRYPTION_KEY", "CLIENTS_FILE"]);
  });
});

describe("preset ingest keys", () => {
  const { id, key, hash } = makeIngestKey();
  const entry = { name: "edge", key, scopes: ["logs:write"], service: "edge" };

  test("they come from the variable or from a file, and none are needed", async () => {
    const keys = JSON.stringify([entry]);
    const { key: _, ...grant } = entry;
    const expected = [{ id, hash, grant }];
    expect(parseConfig({ ...(await validEnv()), INGEST_KEYS: keys }).presetIngestKeys).toEqual(expected as never);
    const file = await write("ingest-keys.json", keys);
    expect(parseConfig({ ...(await validEnv()), INGEST_KEYS_FILE: file }).presetIngestKeys).toEqual(expected as never);
    expect(parseConfig(await validEnv()).presetIngestKeys).toEqual([]);
  });

  test("every fault is named by entry and field, and no key is repeated", async () => {
    const wrong = `${key.slice(0, -1)}${key.endsWith("7") ? "8" : "7"}`;
    const [fault = ""] = faultsOf({
      ...(await validEnv()),
      INGEST_KEYS: JSON.stringify([
        entry,
        entry,
        { ...entry, key: wrong },
        { ...entry, key: makeIngestKey().key, scopes: ["telemetry:read"] },
        { ...entry, key: makeIngestKey().key },
        { ...entry, key: makeIngestKey().key },
        { ...entry, servicePrefix: "edge-" },
      ]),
    });
    for (const part of [
      "entry 2, key: is used twice",
      "entry 3, key: is not an ingest key",
      "entry 4, scopes.0: is not one of traces:write, metrics:write, logs:write",
      "entry 6, name: has more than 2 keys",
      "entry 7, service: set service or servicePrefix, one of them",
    ])
      expect(fault).toContain(part);
    expect(fault).not.toContain(key.slice(21, 60));
    expect(faultsOf({ ...(await validEnv()), INGEST_KEYS: key })).toEqual([
      "INGEST_KEYS: must be a JSON array of ingest keys",
    ]);
  });
});

describe("clients file", () => {
  test("a client takes its secret from the file or from one beside it", async () => {
    await write("orders-secret", `${newSecret()}\n`);
    const { presetClients } = parseConfig(
      await validEnv([
        { clientId: "orders", clientSecretFile: "orders-secret", service: "orders", scopes: ["telemetry:write"] },
        { clientId: "cli", clientSecret: newSecret(), scopes: ["orders:read"], mayImpersonate: true },
      ]),
    );
    expect(presetClients).toMatchObject([
      { clientId: "orders", service: "orders", scopes: ["telemetry:write"], mayImpersonate: false },
      { clientId: "cli", service: undefined, scopes: ["orders:read"], mayImpersonate: true },
    ]);
  });

  test("every fault is named by entry and field, and no secret is repeated", async () => {
    const secret = newSecret();
    const short = secret.slice(0, 42);
    const [fault = ""] = faultsOf(
      await validEnv([
        { clientId: "orders", clientSecret: short, scopes: ["telemetry:write"] },
        { clientId: "inventory", clientSecret: secret, scopes: ["telemetry:write", "all:things"] },
        { clientId: "Not An Id", clientSecret: secret, scopes: [], typo: true },
        { clientId: "both", clientSecret: secret, clientSecretFile: "x", scopes: ["telemetry:write"] },
        { clientId: "neither", scopes: ["telemetry:write"] },
        { clientId: "gone", clientSecretFile: "not-there", scopes: ["telemetry:write"] },
        { clientId: "vitrine", clientSecret: secret, scopes: ["telemetry:write"] },
        { clientId: "twice", clientSecret: secret, scopes: ["telemetry:write"] },
        { clientId: "twice", clientSecret: secret, scopes: ["telemetry:write"] },
        "no object",
      ]),
    );
    for (const part of [
      "entry 1 (orders), clientSecret: must have at least 43 characters",
      "entry 2 (inventory), scopes.1: is not a scope",
      "entry 3, clientId: lower-case letters",
      "entry 3, scopes: must name at least one scope",
      'entry 3, entry: Unrecognized key: "typo"',
      "entry 4 (both), clientSecret: set clientSecret or clientSecretFile, one of them",
      "entry 5 (neither), clientSecret: set clientSecret or clientSecretFile, one of them",
      "entry 6 (gone), clientSecretFile: cannot read",
      "entry 7 (vitrine), clientId: vitrine is the name",
      "entry 9 (twice), clientId: is used twice",
      "entry 10, entry:",
    ])
      expect(fault).toContain(part);
    expect(fault).not.toContain(short);
  });

  test.each(["{", "{}", '"text"', ""])(
    "a file with %p is no array of clients, and its text is not repeated",
    async (text) => {
      const env = { ...(await validEnv()), CLIENTS_FILE: await write("text.json", text) };
      expect(faultsOf(env)).toEqual([`CLIENTS_FILE: ${env.CLIENTS_FILE} must be a JSON array of clients`]);
    },
  );
});
