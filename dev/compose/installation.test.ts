import { expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../engines/testing.ts";
import { composeAddresses, readComposeSecret, writeSettingsOnce } from "./installation.ts";

test("settings are written once and never over somebody's own", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, ".env");
  expect(await writeSettingsOnce(file)).toBe(true);
  expect(await Bun.file(file).text()).toMatch(/^COMPOSE_PROFILES=full$/m);
  await Bun.write(file, "COMPOSE_PROFILES=lite\n");
  expect(await writeSettingsOnce(file)).toBe(false);
  expect(await Bun.file(file).text()).toBe("COMPOSE_PROFILES=lite\n");
});

test("a secret that is not there names the command that makes it", async () => {
  await using directory = await temporaryDirectory();
  const env = { VITRINE_SECRETS_DIR: directory.path };
  expect(readComposeSecret(env, "doctor_client_secret")).rejects.toThrow("bun run secrets");
  await Bun.write(join(directory.path, "doctor_client_secret"), "abc\n");
  expect(await readComposeSecret(env, "doctor_client_secret")).toBe("abc");
});

test("everything is asked at the address the gateway is known by", () => {
  const addresses = composeAddresses({ VITRINE_PUBLIC_URL: "https://vitrine.test/" });
  for (const address of Object.values(addresses)) expect(address).toStartWith("https://vitrine.test");
});

test("a server is asked at the domain its certificate is for", () => {
  const gatewayOf = (env: Record<string, string>) =>
    composeAddresses({ VITRINE_DOMAIN: "vitrine.test", ...env }).gateway;
  expect(gatewayOf({})).toBe("https://vitrine.test");
  expect(gatewayOf({ VITRINE_HTTPS_PORT: "8443" })).toBe("https://vitrine.test:8443");
  expect(gatewayOf({ VITRINE_PUBLIC_URL: "https://elsewhere.test" })).toBe("https://elsewhere.test");
  expect(gatewayOf({ VITRINE_DOMAIN: "" })).toBe("http://localhost:8080");
});
