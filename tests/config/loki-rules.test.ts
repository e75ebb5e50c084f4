import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineCommand } from "../../dev/engines/command.ts";
import { engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets, temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";
import { mutantsOf } from "./mutants.ts";
import { type Alert, alertsOf, lokiRules, rulesOf } from "./rule-files.ts";

/**
 * The log rules on a real Loki: each must be true of the records that are to raise it and of nothing when all is as
 * usual, mutants of it must not, and the ruler must hand it to Alertmanager.
 */
const buildTimeoutMs = 45 * 60_000;

setDefaultTimeout(60_000);

interface LogRecord {
  readonly service: string;
  /** Of the log data model: 9 info, 13 warn, 17 error. */
  readonly severity: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly times: number;
}

const record = (service: string, severity: number, action: string, times: number, more = {}): LogRecord => ({
  service,
  severity,
  attributes: { action, ...more },
  times,
});

/** Samples of one session that asks for nothing since a statement within a transaction. */
const idle = (times: number, since: string): LogRecord =>
  record("postgres", 13, "db.query_sample", times, {
    "postgresql.state": "idle in transaction",
    "postgresql.pid": "17",
    "postgresql.query_start": `2026-01-01 ${since}.123456+00`,
  });

/** What raises each alert, and the service it names. */
const raising: Readonly<Record<string, { readonly service: string; readonly records: readonly LogRecord[] }>> = {
  SuspiciousLogin: { service: "auth", records: [record("auth", 13, "authn_impossible_travel", 1)] },
  ManyAccountsFromOneAddress: { service: "auth", records: [record("auth", 13, "authn_many_accounts", 1)] },
  ServiceFailedInLogs: { service: "inventory", records: [record("inventory", 21, "service.failed", 1)] },
  UnexpectedErrorsInLogs: { service: "orders", records: [record("orders", 17, "http.error", 25)] },
  DatabaseLockContention: {
    service: "postgres",
    records: [record("postgres", 13, "db.query_sample", 5, { "postgresql.wait_event_type": "Lock" })],
  },
  DatabaseTransactionIdle: { service: "postgres", records: [idle(5, "10:00:00")] },
};

/** An eventful, yet usual hour. */
const usual: readonly LogRecord[] = [
  record("auth", 9, "authn_login_success", 50),
  record("auth", 13, "authn_login_fail", 30),
  record("auth", 13, "authn_new_origin", 5),
  record("orders", 17, "http.error", 15),
  record("orders", 13, "order.failed", 60),
  record("inventory", 13, "service.not_ready", 3),
  record("postgres", 13, "db.query_sample", 2, { "postgresql.wait_event_type": "Lock" }),
  record("postgres", 13, "db.query_sample", 30, { "postgresql.wait_event_type": "IO" }),
  ...Array.from({ length: 10 }, (_, index) => idle(2, `11:00:0${index}`)),
  record("postgres", 9, "db.top_query", 40),
  { ...record("gateway", 9, "http.request", 100), attributes: { action: "http.request", text: "service.failed" } },
];

const alerts = lokiRules.flatMap(alertsOf);
// Further apart than the longest range, so that neither sees the other, and oldest first, as Loki wants a stream.
const raisedAtMs = Date.now() - 40 * 60_000;
const usualAtMs = Date.now() - 20 * 60_000;

let directory: TemporaryDirectory;
let loki: Bun.Subprocess;
let url: string;
let alertmanager: Bun.Server<undefined>;
const told = new Set<string>();

const postedSchema = z.array(z.looseObject({ labels: z.record(z.string(), z.string()) }));

const answerSchema = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

beforeAll(async () => {
  directory = await temporaryDirectory();
  const engine = engineNamed("loki");
  if (engine === undefined) throw new Error("no engine loki");
  alertmanager = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      for (const { labels } of postedSchema.parse(await request.json())) told.add(labels["alertname"] ?? "");
      return new Response();
    },
  });
  const [port, grpc] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  const options = {
    ports: { ...defaultEnginePorts, loki: port, lokiGrpc: grpc, alertmanager: alertmanager.port ?? 0 },
    dataDir: directory.path,
    retention: "7d",
    repoRoot: repositoryRoot,
    secretsDir: await makeEngineSecrets(directory.path),
  };
  await prepareEngine(engine, options);
  const { argv, env, readyUrl } = engineCommand(engine, await provideEngine(engine, { mode: "native" }), options);
  const LOKI_RULES_DIR = await quickenedRules(join(directory.path, "rules"));
  loki = Bun.spawn([...argv], { env: { ...Bun.env, ...env, LOKI_RULES_DIR }, stdout: "ignore", stderr: "ignore" });
  await eventually("Loki is ready", 60_000, async () => (await fetch(readyUrl)).ok);
  for (const { records } of Object.values(raising)) await push(records, raisedAtMs);
  await push(usual, usualAtMs);
}, buildTimeoutMs);

afterAll(async () => {
  loki.kill();
  await loki.exited;
  await alertmanager.stop(true);
  await directory[Symbol.asyncDispose]();
});

/** The committed rules, evaluated every second and without their patience. */
async function quickenedRules(folder: string): Promise<string> {
  for (const { name, path } of lokiRules) {
    const rules = await Bun.file(path).text();
    const quick = rules.replaceAll(/^( +(?:for|interval):) .*$/gm, "$1 1s");
    await Bun.write(join(folder, "fake", name), quick);
  }
  return folder;
}

async function push(records: readonly LogRecord[], atMs: number): Promise<void> {
  const resourceLogs = records.map(({ service, severity, attributes, times }) => ({
    resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
    scopeLogs: [
      {
        logRecords: Array.from({ length: times }, (_, index) => ({
          timeUnixNano: `${BigInt(atMs + index) * 1_000_000n}`,
          severityNumber: severity,
          body: { stringValue: `line ${index}` },
          attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
        })),
      },
    ],
  }));
  const response = await fetch(`${url}/otlp/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceLogs }),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** The services for which an expression is true at a time. */
async function trueFor(query: string, atMs: number): Promise<readonly string[]> {
  const time = `${BigInt(atMs + 30_000) * 1_000_000n}`;
  const response = await fetch(`${url}/loki/api/v1/query?${new URLSearchParams({ query, time })}`);
  if (!response.ok) throw new Error(`${query}: ${await response.text()}`);
  return answerSchema.parse(await response.json()).data.result.map(({ metric }) => metric["service_name"] ?? "");
}

async function isRight({ alert, expr }: Alert): Promise<boolean> {
  const raised = await trueFor(expr, raisedAtMs);
  return raised.join() === raising[alert]?.service && (await trueFor(expr, usualAtMs)).length === 0;
}

test("every log rule has records that raise it", () => {
  expect(Object.keys(raising).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
});

describe.each(alerts.map((alert) => [alert.alert, alert] as const))("%s", (name, alert) => {
  test("is true of what is to raise it, names the service, and is silent in a usual hour", async () => {
    expect(await trueFor(alert.expr, raisedAtMs)).toEqual([raising[name]?.service ?? ""]);
    expect(await trueFor(alert.expr, usualAtMs)).toEqual([]);
  });

  test("is noticed when its sign or its threshold is changed", async () => {
    const original = new Set(lokiRules.flatMap(rulesOf).map(({ expr }) => expr));
    const mutants = lokiRules
      .flatMap(mutantsOf)
      .flatMap(({ change, groups }) => alertsOf({ groups: [...groups] }).map((mutant) => ({ change, mutant })))
      // The records are of one moment, which tells nothing of windows.
      .filter(({ change, mutant }) => mutant.alert === name && !original.has(mutant.expr) && !change.includes("["));
    expect(mutants.length).toBeGreaterThan(0);
    for (const { change, mutant } of mutants) expect(`${change}: ${await isRight(mutant)}`).toBe(`${change}: false`);
  });
});

test("the ruler hands all of them to Alertmanager, and nothing before they are true", async () => {
  expect([...told]).toEqual([]);
  for (const { records } of Object.values(raising)) await push(records, Date.now() - 1_000);
  await eventually("every alert at Alertmanager", 30_000, async () =>
    alerts.every(({ alert }) => told.has(alert)) ? true : undefined,
  );
});
