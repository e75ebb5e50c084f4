import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@vitrine/kit/config";
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
