import { describe, expect, test } from "bun:test";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { caught, temporaryDirectory } from "./engines/testing.ts";
import { layoutOf, type Layout, secretFile } from "./layout.ts";
import { readPorts } from "./ports.ts";
import { ensureSecrets, readSecret, secretNames, writeDerived } from "./secrets.ts";

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function contents(layout: Layout): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(layout.secrets);
  return new Map(
    await Promise.all(
      names.sort().map(async (name) => [name, await readFile(`${layout.secrets}/${name}`, "utf8")] as const),
    ),
  );
}

describe("secrets", () => {
  test("are made where only their owner may read them", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(layout);
    await writeDerived(layout, readPorts({}));
    expect(await modeOf(layout.secrets)).toBe("700");
    for (const name of await readdir(layout.secrets)) expect(await modeOf(`${layout.secrets}/${name}`)).toBe("600");
  });

  test("are 32 random bytes each, no two alike", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(layout);
    const values = [...(await contents(layout)).values()];
    expect(values).toHaveLength(secretNames().length);
    expect(new Set(values).size).toBe(values.length);
    for (const value of values) expect(value).toMatch(/^[\w-]{43}$/);
  });

  test("are never made anew once they are there", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(layout);
    const before = await contents(layout);
    await ensureSecrets(layout);
    expect(await contents(layout)).toEqual(before);
  });

  test("are the same for two starts at once", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await Promise.all([ensureSecrets(layout), ensureSecrets(layout), ensureSecrets(layout)]);
    expect([...(await contents(layout)).keys()]).toEqual([...secretNames()].sort());
  });

  test("that others may read are closed to them", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await mkdir(layout.secrets, { mode: 0o755 });
    await writeFile(secretFile(layout, "admin-password"), "of my own", { mode: 0o644 });
    await chmod(layout.secrets, 0o755);
    await ensureSecrets(layout);
    expect(await modeOf(layout.secrets)).toBe("700");
    expect(await modeOf(secretFile(layout, "admin-password"))).toBe("600");
    expect(await readSecret(layout, "admin-password")).toBe("of my own");
  });

  test("that are missing are an error that says how to get them", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    expect(String(await caught(readSecret(layout, "cli-client-secret")))).toContain("start `bun run dev`");
  });

  test("derived files follow the ports", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(layout);
    await writeDerived(layout, readPorts({}));
    await writeDerived(layout, readPorts({ POSTGRES_PORT: "5555" }));
    const password = await readSecret(layout, "orders-database-password");
    expect(await readFile(secretFile(layout, "orders-database-url"), "utf8")).toBe(
      `postgres://orders:${password}@127.0.0.1:5555/vitrine`,
    );
  });

  test("the file of clients names the files of secrets, and holds none", async () => {
    await using directory = await temporaryDirectory();
    const layout = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(layout);
    const secrets = [...(await contents(layout)).values()];
    await writeDerived(layout, readPorts({}));
    const text = await readFile(secretFile(layout, "clients.json"), "utf8");
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toContainEqual({
      clientId: "orders",
      clientSecretFile: secretFile(layout, "orders-client-secret"),
      service: "orders",
      scopes: ["telemetry:write", "inventory:read", "inventory:write"],
      mayImpersonate: false,
    });
  });
});
