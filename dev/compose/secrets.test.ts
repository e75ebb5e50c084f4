import { expect, test } from "bun:test";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "../engines/engines.ts";
import { temporaryDirectory } from "../engines/testing.ts";
import { makeComposeSecrets } from "./secrets.ts";

const compose = await Bun.file(join(repositoryRoot, "compose.yaml")).text();

test("every secret of compose.yaml is made, each another one, none guessable", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "secrets");
  const { made, kept } = await makeComposeSecrets(compose, folder);
  expect(made.length).toBeGreaterThan(10);
  expect(kept).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual([...made].sort());
  // What is nobody's to make: whom alerts are told.
  expect(await Bun.file(join(folder, "notifier_targets")).text()).toBe("[]");
  const secrets = made.filter((name) => name !== "notifier_targets");
  const random = await Promise.all(
    secrets.map(async (name) => /[A-Za-z0-9_-]{43}/.exec(await Bun.file(join(folder, name)).text())?.[0]),
  );
  expect(random).not.toContain(undefined);
  expect(new Set(random).size).toBe(secrets.length);
});

test("a database URL logs in as the service that owns it, on compose's PostgreSQL", async () => {
  await using directory = await temporaryDirectory();
  await makeComposeSecrets(compose, directory.path);
  const url = new URL(await Bun.file(join(directory.path, "orders_database_url")).text());
  expect(url.username).toBe("orders");
  expect(url.host).toBe("postgres:5432");
  expect(url.pathname).toBe("/vitrine");
});

test("the key that encrypts signing keys is 32 bytes", async () => {
  await using directory = await temporaryDirectory();
  await makeComposeSecrets(compose, directory.path);
  const key = await Bun.file(join(directory.path, "key_encryption_key")).text();
  expect(Buffer.from(key, "base64url").byteLength).toBe(32);
});

test("a secret that is there is never overwritten, and one that is missing is added", async () => {
  await using directory = await temporaryDirectory();
  await makeComposeSecrets(compose, directory.path);
  const before = await Bun.file(join(directory.path, "postgres_password")).text();
  await rm(join(directory.path, "admin_password"));
  const { made } = await makeComposeSecrets(compose, directory.path);
  expect(made).toEqual(["admin_password"]);
  expect(await Bun.file(join(directory.path, "postgres_password")).text()).toBe(before);
});

test("other users of the machine cannot enter the folder; a container's user can read the mounted file", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "secrets");
  await makeComposeSecrets(compose, folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "postgres_password"))).mode & 0o777).toBe(0o444);
});
