import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./engines/testing.ts";
import { layoutOf } from "./layout.ts";
import { readPorts } from "./ports.ts";
import { ensureSecrets, readSecret, secretNames } from "./secrets.ts";
import { clients, serviceEnvironment, services } from "./services.ts";

const layout = layoutOf({});
const context = { layout, ports: readPorts({ PORT_OFFSET: "7" }), traffic: true, demo: true };

function environmentOf(name: string, env: Record<string, string> = {}, overrides: Partial<typeof context> = {}) {
  const service = services.find((other) => other.name === name);
  if (service === undefined) throw new Error(`no ${name}`);
  return serviceEnvironment(service, { ...context, ...overrides }, env);
}

describe("the table of services", () => {
  test("names what lies in services/", () => {
    for (const { name } of services)
      expect(existsSync(join(layout.repoRoot, "services", name, "src/main.ts"))).toBe(true);
  });

  test("lets a service wait only for what is started before it", () => {
    const before = new Set<string>(["postgres"]);
    for (const { name, after } of services) {
      for (const needed of after) expect(before).toContain(needed);
      before.add(name);
    }
  });

  test("gives every service a client of its own that may write telemetry under its own name only", () => {
    for (const { name } of services) {
      const client = clients.find(({ clientId }) => clientId === name);
      expect(client).toMatchObject({ service: name, mayImpersonate: false });
      expect(client?.scopes).toContain("telemetry:write");
    }
  });
});

describe("the environment of a service", () => {
  test("holds no secret, only the names of files", async () => {
    await using directory = await temporaryDirectory();
    const own = layoutOf({ VITRINE_DIR: directory.path });
    await ensureSecrets(own);
    const secrets = await Promise.all(secretNames().map((name) => readSecret(own, name)));
    for (const { name } of services) {
      const text = JSON.stringify(environmentOf(name, {}, { layout: own }));
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  test("derives every address from the table of ports", () => {
    expect(environmentOf("orders")).toMatchObject({
      PORT: "8089",
      AUTH_URL: "http://127.0.0.1:8088",
      INVENTORY_URL: "http://127.0.0.1:8090",
      TOKEN_ISSUER: "http://localhost:8087",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4325",
      OTEL_SERVICE_NAME: "orders",
    });
  });

  test("has the gateway send its own telemetry straight to the collector", () => {
    expect(environmentOf("gateway")).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:14325",
      OTEL_EXPORTER_OTLP_HEADERS: "x-client-id=gateway,x-client-service=gateway",
    });
  });

  test("binds everything to loopback, whatever HOST says, and the gateway alone to GATEWAY_HOST", () => {
    const env = { HOST: "0.0.0.0", GATEWAY_HOST: "192.0.2.1" };
    for (const { name } of services)
      expect(environmentOf(name, env)["HOST"]).toBe(name === "gateway" ? "192.0.2.1" : "127.0.0.1");
  });

  test("keeps what a user sets for a service, and nothing that is meant for another system", () => {
    const kept = { PATH: "/bin", SWEEP_INTERVAL_MS: "500", LOG_LEVEL: "debug", RATE_PER_SECOND: "9" };
    const foreign = {
      HTTP_PROXY: "http://proxy",
      https_proxy: "http://proxy",
      DATABASE_URL: "postgres://production",
      CLIENT_SECRET: "x",
      KEY_ENCRYPTION_KEY: "x",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=x",
      OTEL_SDK_DISABLED: "true",
      INVENTORY_URL: "http://elsewhere",
    };
    const env = environmentOf("auth", { ...kept, ...foreign });
    expect(env).toMatchObject(kept);
    for (const name of Object.keys(foreign)) expect(env).not.toHaveProperty(name);
  });

  test("has no visitor with a known password when that is asked for", () => {
    for (const name of ["auth", "console"] as const) {
      expect(environmentOf(name)["DEMO"]).toBe("on");
      expect(environmentOf(name, {}, { demo: false })["DEMO"]).toBe("off");
    }
  });

  test("turns simulated customers off when that is asked for", () => {
    expect(environmentOf("generator")["TRAFFIC"]).toBe("on");
    expect(environmentOf("generator", {}, { traffic: false })["TRAFFIC"]).toBe("off");
  });
});
