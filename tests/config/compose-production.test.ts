import { beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { runCommand } from "../../dev/engines/run-command.ts";

/** What compose makes of its files together, which is what runs. */
const mergedSchema = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      environment: z.record(z.string(), z.string().nullable()).default({}),
      command: z.array(z.string()).nullish(),
      depends_on: z.record(z.string(), z.unknown()).default({}),
      ports: z
        .array(z.looseObject({ host_ip: z.string().default(""), published: z.string(), target: z.int() }))
        .default([]),
      volumes: z.array(z.looseObject({ source: z.string().optional(), target: z.string() })).default([]),
      networks: z.record(z.string(), z.looseObject({ aliases: z.array(z.string()).optional() }).nullable()).default({}),
    }),
  ),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().default(false) })),
});

type Merged = z.output<typeof mergedSchema>;

const docker = await runCommand(["docker", "compose", "version"], { env: Bun.env }).catch(() => undefined);
const hasCompose = docker?.exitCode === 0;
const because = hasCompose ? "" : " (skipped: there is no docker compose on PATH)";

async function merge(files: readonly string[], variables: Readonly<Record<string, string>>) {
  const env = { PATH: Bun.env["PATH"], HOME: Bun.env["HOME"], ...variables };
  const named = ["compose.yaml", ...files].map((file) => `--file=${file}`);
  const profiles = ["--profile=full", "--profile=demo"];
  const args = ["docker", "compose", "--env-file=/dev/null", ...named, ...profiles, "config", "--format=json"];
  return await runCommand(args, { cwd: repositoryRoot, env });
}

describe.skipIf(!hasCompose)(`compose.production.yaml${because}`, () => {
  let merged: Merged;
  // Whatever a desk's .env says.
  const variables = { VITRINE_DOMAIN: "vitrine.test", VITRINE_DEMO: "on", VITRINE_TRAFFIC: "on" };

  beforeAll(async () => {
    const { stdout, stderr, exitCode } = await merge(["compose.production.yaml"], variables);
    expect([exitCode, stderr]).toEqual([0, ""]);
    merged = mergedSchema.parse(JSON.parse(stdout));
  });

  const variable = (name: string) =>
    Object.entries(merged.services).flatMap(([service, { environment }]) => {
      const value = environment[name];
      return value === undefined ? [] : [[service, value] as const];
    });

  test("does not start without the name its certificate is for", async () => {
    const { exitCode, stderr } = await merge(["compose.production.yaml"], {});
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("VITRINE_DOMAIN");
  });

  test("has nothing of a demo, and no fault can be injected", () => {
    expect(variable("DEMO").map(([name]) => name)).toEqual(["auth", "console"]);
    for (const name of ["DEMO", "TRAFFIC", "FAULT_INJECTION"])
      for (const [, value] of variable(name)) expect(value).toBe("off");
  });

  test("publishes the gateway alone, by TLS, on the port browsers ask", () => {
    const published = Object.entries(merged.services).flatMap(([name, { ports }]) =>
      ports.map(({ host_ip: address, published: from, target }) => `${name} ${address}:${from} ${target}`),
    );
    expect(published).toEqual(["gateway 0.0.0.0:443 8080", "gateway 0.0.0.0:4318 4318"]);
    expect(variable("TLS_KEY_FILE")).toEqual([["gateway", "/etc/vitrine/tls/privkey.pem"]]);
  });

  test("shows the key of the certificate to the gateway and to nobody else", () => {
    const keepers = Object.entries(merged.services).filter(([, { volumes }]) =>
      volumes.some(({ source }) => source?.endsWith("/tls/gateway") || source?.endsWith("/tls")),
    );
    expect(keepers.map(([name]) => name)).toEqual(["gateway"]);
  });

  test("has nobody speak to the gateway without TLS, and it answers inside to the name of its certificate", () => {
    const addresses = ["OTEL_EXPORTER_OTLP_ENDPOINT", "GATEWAY_URL", "GATEWAY_OTLP_URL"].flatMap(variable);
    const toGateway = addresses.filter(([name]) => name !== "gateway").map(([, value]) => new URL(value ?? "").origin);
    expect([...new Set(toGateway)].sort()).toEqual(["https://vitrine.test:4318", "https://vitrine.test:8080"]);
    for (const network of ["services", "engines"])
      expect(merged.services["gateway"]?.networks[network]?.aliases).toEqual(["vitrine.test"]);
    for (const [, value] of variable("TOKEN_ISSUER")) expect(value).toBe("https://vitrine.test");
  });

  test("keeps 30 days, and of traces all errors, all slow ones and a share", () => {
    expect(variable("VITRINE_RETENTION").map(([, value]) => value)).toEqual(["720h", "720h"]);
    expect(merged.services["collector"]?.command?.at(-1)).toEndWith("traces-sampled.yaml");
  });
});

test.skipIf(!hasCompose)(`an external PostgreSQL takes the place of the container${because}`, async () => {
  const { stdout, stderr, exitCode } = await merge(["compose.production.yaml", "compose.external-postgres.yaml"], {
    VITRINE_DOMAIN: "vitrine.test",
    VITRINE_POSTGRES_ENDPOINT: "db.test:5432",
  });
  expect([exitCode, stderr]).toEqual([0, ""]);
  const { services, networks } = mergedSchema.parse(JSON.parse(stdout));
  expect(Object.keys(services)).not.toContain("postgres");
  for (const [name, { depends_on: after }] of Object.entries(services))
    expect(Object.keys(after), name).not.toContain("postgres");
  expect(services["collector"]?.environment["POSTGRES_ENDPOINT"]).toBe("db.test:5432");
  expect([networks["database"]?.internal, networks["statistics"]?.internal]).toEqual([false, false]);
  expect(networks["engines"]?.internal).toBe(true);
});
