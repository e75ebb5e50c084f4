import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { z } from "zod";
import { until } from "@vitrine/kit/testing/eventually";
import { engineCommand, type EngineRunOptions } from "../../dev/engines/command.ts";
import { type Engine, engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine, provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { makeEngineSecrets, temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";
import { alertsOf, lokiRules, prometheusRules } from "./rule-files.ts";

/** Routes by amtool; inhibition, and what reaches the notifier, by a real Alertmanager on a free port. */
const buildTimeoutMs = 45 * 60_000;
const configFile = join(repositoryRoot, "alertmanager/alertmanager.yml");

const answerSchema = z.array(
  z.looseObject({
    labels: z.record(z.string(), z.string()),
    status: z.looseObject({ state: z.string(), inhibitedBy: z.array(z.string()) }),
  }),
);

type Labels = Readonly<Record<string, string>>;

const messageSchema = z.looseObject({
  version: z.literal("4"),
  receiver: z.string(),
  alerts: z.array(z.looseObject({ status: z.enum(["firing", "resolved"]), labels: z.record(z.string(), z.string()) })),
});

interface Message extends z.infer<typeof messageSchema> {
  readonly path: string;
  readonly authorization: string | null;
}

let directory: TemporaryDirectory;
let server: Bun.Subprocess;
let url: string;
let amtool: string;
let notifier: Bun.Server<undefined>;
const told: Message[] = [];

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
  notifier = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const authorization = request.headers.get("authorization");
      told.push({
        ...messageSchema.parse(await request.json()),
        path: new URL(request.url).pathname,
        authorization,
      });
      return new Response();
    },
  });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const options: EngineRunOptions = {
    ports: { ...defaultEnginePorts, alertmanager: port, notifier: notifier.port ?? 0 },
    dataDir: directory.path,
    retention: "7d",
    repoRoot: repositoryRoot,
    secretsDir: await makeEngineSecrets(directory.path),
  };
  await prepareEngine(alertmanager(), options);
  const { argv } = engineCommand(alertmanager(), provided, options);
  server = Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" });
  await until(async () => (await fetch(`${url}/-/ready`)).ok);
}, buildTimeoutMs);

afterAll(async () => {
  server.kill();
  await server.exited;
  await notifier.stop(true);
  await directory[Symbol.asyncDispose]();
});

test.each([
  [{ alertname: "Watchdog", severity: "info" }, "watchdog"],
  [{ alertname: "TokenForgeryWave", severity: "critical" }, "critical"],
  [{ alertname: "InstanceDown", severity: "critical", service_name: "orders" }, "critical"],
  // By day and at any other time.
  [{ alertname: "SlowQueries", severity: "warning", service_name: "orders" }, "warning,off-hours"],
  [{ alertname: "CollectorPointsFiltered", severity: "info" }, "info"],
  [{ alertname: "FromElsewhere" }, "warning"],
])("%j goes to %s", async (labels, receiver) => {
  expect(await receiverOf(labels)).toBe(receiver);
});

test("every alert there is goes to the receiver of its tier", async () => {
  const alerts = [...prometheusRules, ...lokiRules].flatMap(alertsOf).filter(({ alert }) => alert !== "Watchdog");
  const kinds = new Map(alerts.map(({ alert, labels = {} }) => [alert, labels["severity"] ?? ""]));
  for (const [alertname, severity] of kinds)
    expect(`${alertname} ${await receiverOf({ alertname, severity })}`).toBe(
      `${alertname} ${severity === "warning" ? "warning,off-hours" : severity}`,
    );
});

test("a warning has one receiver at any time: one within business hours, another at all others", async () => {
  const route = z.looseObject({
    receiver: z.string(),
    active_time_intervals: z.array(z.string()).default([]),
    mute_time_intervals: z.array(z.string()).default([]),
  });
  const config = z
    .looseObject({ route: z.looseObject({ routes: z.array(route) }) })
    .parse(Bun.YAML.parse(await Bun.file(configFile).text()));
  const timed = config.route.routes.filter(
    ({ active_time_intervals: active, mute_time_intervals: muted }) => active.length + muted.length > 0,
  );
  expect(timed).toMatchObject([
    { receiver: "warning", active_time_intervals: ["business-hours"], mute_time_intervals: [] },
    { receiver: "off-hours", active_time_intervals: [], mute_time_intervals: ["business-hours"] },
  ]);
});

test("the notifier is told once of an alert, at once where it is critical, by who knows the token", async () => {
  const token = await Bun.file(join(directory.path, "secrets/alertmanager-token")).text();
  const alerts: readonly Labels[] = [
    { alertname: "Told", severity: "critical", service_name: "now" },
    { alertname: "Told", severity: "warning", service_name: "soon" },
  ];
  const startedAt = Date.now();
  await post(alerts, 60_000);
  const about = (service: string) =>
    told.filter((message) => message.alerts.some(({ labels }) => labels["service_name"] === service));
  await until(async () => about("now").length > 0);
  expect(Date.now() - startedAt).toBeLessThan(5_000);
  await until(async () => about("soon").length > 0);
  expect(about("now")).toMatchObject([{ receiver: "critical", alerts: [{ status: "firing" }] }]);
  expect(about("soon")).toHaveLength(1);
  expect(["warning", "off-hours"]).toContain(about("soon")[0]?.receiver ?? "");
  for (const { path, authorization } of told) {
    expect(path).toBe("/api/notifier/alertmanager");
    expect(authorization).toBe(`Bearer ${token}`);
  }
}, 60_000);

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
    await until(async () => (await stateOf(target)) === "suppressed");
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
