import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { z } from "zod";
import { type Engine, engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import { provideEngine, provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";
import { alertsOf, lokiRules, prometheusRules } from "./rule-files.ts";

/** Routes by amtool, inhibition by a real Alertmanager on a free port. */
const buildTimeoutMs = 45 * 60_000;
const configFile = join(repositoryRoot, "alertmanager/alertmanager.yml");

const answerSchema = z.array(
  z.looseObject({
    labels: z.record(z.string(), z.string()),
    status: z.looseObject({ state: z.string(), inhibitedBy: z.array(z.string()) }),
  }),
);

type Labels = Readonly<Record<string, string>>;

let directory: TemporaryDirectory;
let server: Bun.Subprocess;
let url: string;
let amtool: string;

function alertmanager(): Engine {
  const engine = engineNamed("alertmanager");
  if (engine === undefined) throw new Error("no engine alertmanager");
  return engine;
}

beforeAll(async () => {
  directory = await temporaryDirectory();
  amtool = (await provideTool(alertmanager())).path;
  const provided = await provideEngine(alertmanager(), { mode: "native" });
  if (provided.kind !== "binary") throw new Error("no binary");
  url = `http://127.0.0.1:${await freePort()}`;
  server = Bun.spawn(
    [
      provided.path,
      `--config.file=${configFile}`,
      `--web.listen-address=${url.slice("http://".length)}`,
      "--cluster.listen-address=",
      `--storage.path=${directory.path}`,
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  await eventually(async () => (await fetch(`${url}/-/ready`)).ok);
}, buildTimeoutMs);

afterAll(async () => {
  server.kill();
  await server.exited;
  await directory[Symbol.asyncDispose]();
});

test.each([
  [{ alertname: "Watchdog", severity: "info" }, "watchdog"],
  [{ alertname: "TokenForgeryWave", severity: "critical" }, "critical"],
  [{ alertname: "InstanceDown", severity: "critical", service_name: "orders" }, "critical"],
  [{ alertname: "SlowQueries", severity: "warning", service_name: "orders" }, "warning"],
  [{ alertname: "CollectorPointsFiltered", severity: "info" }, "info"],
  [{ alertname: "FromElsewhere" }, "warning"],
])("%j goes to %s", async (labels, receiver) => {
  expect(await receiverOf(labels)).toBe(receiver);
});

test("every alert there is goes to the receiver of its tier", async () => {
  const alerts = [...prometheusRules, ...lokiRules].flatMap(alertsOf).filter(({ alert }) => alert !== "Watchdog");
  const kinds = new Map(alerts.map(({ alert, labels = {} }) => [alert, labels["severity"] ?? ""]));
  for (const [alertname, severity] of kinds)
    expect(`${alertname} ${await receiverOf({ alertname, severity })}`).toBe(`${alertname} ${severity}`);
});

test("every alert an inhibition names exists", async () => {
  const names = new Set([...prometheusRules, ...lokiRules].flatMap(alertsOf).map(({ alert }) => alert));
  const text = await Bun.file(configFile).text();
  const asked = [...text.matchAll(/alertname=~?"([^"]+)"/g)].flatMap(([, list = ""]) => list.split("|"));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
});

const down = (service: string): Labels => ({ alertname: "InstanceDown", severity: "critical", service_name: service });
const warning = (alertname: string, labels: Labels): Labels => ({ alertname, severity: "warning", ...labels });

test.each([
  ["a service that is down", [down("s1")], warning("TelemetryHeartbeatLost", { service_name: "s1" })],
  ["the gateway", [down("gateway")], down("s2")],
  ["the collector", [down("collector")], down("gateway")],
  ["Loki that is down", [down("loki")], warning("CollectorQueueBacklog", { exporter: "otlp_http/loki" })],
  [
    "a disk that is full",
    [{ alertname: "DiskAlmostFull", severity: "critical", device: "d1" }],
    warning("HighDiskUsage", { device: "d1" }),
  ],
  [
    "a pool with a queue",
    [{ alertname: "DatabaseConnectionsExhausted", severity: "critical", service_name: "s3" }],
    warning("DatabaseConnectionsHigh", { service_name: "s3" }),
  ],
  [
    "a budget that burns fast",
    [{ alertname: "ErrorBudgetBurningFast", severity: "critical", slo: "errors", service_name: "s4", window: "1h" }],
    warning("ErrorBudgetBurningSlowly", { slo: "errors", service_name: "s4", window: "1d" }),
  ],
])("%s silences what follows from it, and only that", async (_, sources, target) => {
  const other: Labels = {
    ...target,
    service_name: "elsewhere",
    device: "other",
    exporter: "otlp_http/other",
    ...(target["alertname"] === "InstanceDown" ? { service_name: "loki" } : {}),
  };
  try {
    await post([...sources, target, other], 60_000);
    await eventually(async () => (await stateOf(target)) === "suppressed");
    expect(await stateOf(other)).toBe("active");
  } finally {
    await post([...sources, target, other], -1_000);
  }
});

async function receiverOf(labels: Labels): Promise<string> {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const { stdout, stderr, exitCode } = await runCommand(
    [amtool, "config", "routes", "test", `--config.file=${configFile}`, ...pairs],
    { env: Bun.env },
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function post(alerts: readonly Labels[], endsInMs: number): Promise<void> {
  const endsAt = new Date(Date.now() + endsInMs).toISOString();
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(alerts.map((labels) => ({ labels, startsAt, endsAt }))),
  });
  expect(response.status).toBe(200);
}

async function stateOf(wanted: Labels): Promise<string | undefined> {
  const alerts = answerSchema.parse(await (await fetch(`${url}/api/v2/alerts`)).json());
  return alerts.find(({ labels }) => Bun.deepEquals(labels, wanted))?.status.state;
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return;
    await Bun.sleep(50);
  }
  throw new Error("not within 15 s");
}
