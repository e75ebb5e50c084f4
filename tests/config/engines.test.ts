import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { engineNamed, repositoryRoot, type Engine, type EngineName } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { renderPrometheusConfig } from "../../dev/engines/prometheus-config.ts";
import { provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { makeEngineSecrets, temporaryDirectory } from "../../dev/engines/testing.ts";

/** A tool that is missing is built: on a machine with empty caches Loki alone takes minutes. */
const buildTimeoutMs = 45 * 60_000;

/** What compose sets, but for a folder that is only in a container: the same files must be valid in both worlds. */
const composeEnv = {
  VITRINE_LISTEN_HOST: "0.0.0.0",
  VITRINE_DATA_DIR: "/data",
  VITRINE_RETENTION: "336h",
  ARCHIVE_MAX_DAYS: "14",
  GATEWAY_URL: "http://gateway:8080",
  GATEWAY_OTLP_URL: "http://gateway:4318",
  POSTGRES_ENDPOINT: "postgres:5432",
  PROMETHEUS_URL: "http://prometheus:9090",
  LOKI_URL: "http://loki:3100",
  JAEGER_OTLP_URL: "http://jaeger:4318",
  ALERTMANAGER_URL: "http://alertmanager:9093",
};

function engine(name: EngineName): Engine {
  const found = engineNamed(name);
  if (found === undefined) throw new Error(`no engine ${name}`);
  return found;
}

async function check(
  name: EngineName,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tool = await provideTool(engine(name));
  const { exitCode, stdout, stderr } = await runCommand([tool.path, ...args], {
    cwd: repositoryRoot,
    env: { ...Bun.env, ...env },
  });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
}

async function ruleFiles(suffix: string): Promise<readonly string[]> {
  const folder = join(repositoryRoot, "prometheus/rules");
  return (await readdir(folder)).filter((file) => file.endsWith(suffix)).map((file) => join(folder, file));
}

describe.each([
  ["at a desk", {}],
  ["in compose", composeEnv],
])("%s", (_, env) => {
  test(
    "the collector takes its config, whichever traces it is to keep",
    async () => {
      await using directory = await temporaryDirectory();
      const secrets = await makeEngineSecrets(directory.path);
      const COLLECTOR_DATABASE_PASSWORD_FILE = join(secrets, "collector-database-password");
      for (const traces of ["all", "sampled"]) {
        const files = ["config", `traces-${traces}`].map((name) => `--config=otel-collector/${name}.yaml`);
        await check("collector", ["validate", ...files], { ...env, COLLECTOR_DATABASE_PASSWORD_FILE });
      }
    },
    buildTimeoutMs,
  );

  test(
    "Jaeger takes its config",
    () => check("jaeger", ["validate", "--config=jaeger/config.yaml"], env),
    buildTimeoutMs,
  );

  test(
    "Loki takes its config",
    () => check("loki", ["-config.expand-env=true", "-verify-config", "-config.file=loki/loki.yaml"], env),
    buildTimeoutMs,
  );
});

test(
  "Alertmanager's config passes amtool",
  () => check("alertmanager", ["check-config", "alertmanager/alertmanager.yml"]),
  buildTimeoutMs,
);

test(
  "Prometheus' config and rules pass promtool",
  () => check("prometheus", ["check", "config", "prometheus/prometheus.yml"]),
  buildTimeoutMs,
);

test(
  "the copy for loopback passes promtool from any folder, rules included",
  async () => {
    await using directory = await temporaryDirectory();
    const folder = join(repositoryRoot, "prometheus");
    const source = await Bun.file(join(folder, "prometheus.yml")).text();
    const copy = join(directory.path, "prometheus.yml");
    await Bun.write(copy, renderPrometheusConfig(source, { ports: defaultEnginePorts, folder }));
    await check("prometheus", ["check", "config", copy]);
  },
  buildTimeoutMs,
);

test(
  "the rule tests pass",
  async () => check("prometheus", ["test", "rules", ...(await ruleFiles(".test.yaml"))]),
  buildTimeoutMs,
);

test("every rule file has its test beside it", async () => {
  const tests = new Set(await ruleFiles(".test.yaml"));
  const rules = await ruleFiles(".rules.yaml");
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.filter((file) => !tests.has(file.replace(".rules.yaml", ".test.yaml")))).toEqual([]);
});
