import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { renderedPrometheusConfig } from "../../dev/engines/command.ts";
import { eventually, type Stack, startStack } from "./stack.ts";

/**
 * Faults are switched on in a whole running system, and their alerts are followed: pending, firing at Alertmanager,
 * resolved once the fault is off. Minutes, so only with STACK_ALERTS=on. The rules are the committed ones with their
 * windows made shorter; their thresholds stay.
 */
const isWanted = Bun.env["STACK_ALERTS"] === "on";

const coldStartMs = 60 * 60_000;
const firesWithinMs = 90_000;
const resolvesWithinMs = 120_000;

setDefaultTimeout(300_000);

const root = join(import.meta.dir, "../..");

const prometheusAnswer = z.object({
  data: z.object({
    alerts: z.array(z.looseObject({ labels: z.record(z.string(), z.string()), state: z.enum(["pending", "firing"]) })),
  }),
});

const alertmanagerAnswer = z.array(z.looseObject({ labels: z.record(z.string(), z.string()) }));

type Labels = Readonly<Record<string, string>>;

let stack: Stack;
let token: string;
let calm: readonly Labels[];

async function get(path: string): Promise<unknown> {
  const response = await fetch(stack.gateway + path, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

function isIt(wanted: Labels): (alert: { readonly labels: Labels }) => boolean {
  return ({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/** `pending` once it has been seen so at Prometheus, `firing` once Alertmanager holds it, inhibited or not. */
async function follow(wanted: Labels): Promise<readonly string[]> {
  const seen: string[] = [];
  await eventually(`${JSON.stringify(wanted)} fires, after ${seen.join()}`, firesWithinMs, async () => {
    const { data } = prometheusAnswer.parse(await get("/prometheus/api/v1/alerts"));
    const states = data.alerts.filter(isIt(wanted)).map(({ state }) => state);
    if (states.includes("pending") && !seen.includes("pending")) seen.push("pending");
    if (!alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).some(isIt(wanted))) return undefined;
    seen.push("firing");
    return true;
  });
  return seen;
}

function resolved(wanted: Labels): Promise<true> {
  return eventually(`${JSON.stringify(wanted)} is resolved`, resolvesWithinMs, async () =>
    alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).some(isIt(wanted)) ? undefined : true,
  );
}

async function pidOf(name: string): Promise<number> {
  const { processes } = await stack.doctor();
  const pid = processes.find((process) => process.name === name)?.pid ?? undefined;
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

/** Five minutes become half a minute, patience five seconds, and evaluations are two seconds apart. */
function quickened(name: string, rules: string): string {
  // Its counts are sums of one rate a minute: at another pace they would be wrong.
  if (name.startsWith("slo.")) return rules;
  return rules
    .replaceAll("[5m]", "[30s]")
    .replaceAll("offset 5m", "offset 30s")
    .replaceAll("< bool 330", "< bool 60")
    .replaceAll("< bool 90", "< bool 45")
    .replaceAll(/^( +for:) .*$/gm, "$1 5s")
    .replaceAll(/^( +interval:) .*$/gm, "$1 2s");
}

async function quickenRules(): Promise<void> {
  const folder = join(stack.directory, "rules");
  await mkdir(folder);
  for (const name of (await readdir(join(root, "prometheus/rules"))).filter((one) => one.endsWith(".rules.yaml")))
    await Bun.write(join(folder, name), quickened(name, await Bun.file(join(root, "prometheus/rules", name)).text()));
  const config = renderedPrometheusConfig(join(stack.directory, "data/prometheus"));
  const parsed = z.looseObject({}).parse(Bun.YAML.parse(await Bun.file(config).text()));
  await Bun.write(config, Bun.YAML.stringify({ ...parsed, rule_files: [join(folder, "*.rules.yaml")] }, null, 2));
  process.kill(await pidOf("prometheus"), "SIGHUP");
}

async function send(path: string, authorization: string | undefined, body: unknown): Promise<number> {
  const response = await fetch(stack.gateway + path, {
    method: "POST",
    headers: { ...(authorization === undefined ? {} : { authorization }), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

async function times(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += 10)
    await Promise.all(Array.from({ length: 10 }, (_, index) => act(done + index)));
}

/** A token of a service's own client, as the service gets it. */
async function tokenOfService(name: string): Promise<string> {
  const secret = (await Bun.file(join(stack.directory, `secrets/${name}-client-secret`)).text()).trim();
  const response = await fetch(`${stack.gateway}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${name}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "telemetry:write" }),
  });
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
}

const now = (): string => `${BigInt(Date.now()) * 1_000_000n}`;

function claimedLog(service: string) {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  const record = { timeUnixNano: now(), severityNumber: 9, body: { stringValue: "not who it says" } };
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
}

function deltaMetric() {
  const point = { startTimeUnixNano: now(), timeUnixNano: now(), asInt: "1" };
  const metric = { name: "not.cumulative", sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point] } };
  return { resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ metrics: [metric] }] }] };
}

describe.skipIf(!isWanted)("with faults switched on", () => {
  beforeAll(async () => {
    stack = await startStack();
    await eventually("the whole system is up", coldStartMs, async () => ((await stack.doctor()).ok ? true : undefined));
    token = await stack.token();
    await quickenRules();
    await eventually("the quick rules are in use", 60_000, async () =>
      JSON.stringify(await get("/prometheus/api/v1/rules")).includes(stack.directory) ? true : undefined,
    );
    // Rules hold back while Prometheus is new, and what compares with the past needs a past.
    await eventually("Prometheus is no longer new", 180_000, async () =>
      JSON.stringify(await get("/prometheus/api/v1/query?query=prometheus:young%20%3D%3D%200")).includes('"value"')
        ? true
        : undefined,
    );
    calm = alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).map(({ labels }) => labels);
  }, coldStartMs);

  afterAll(async () => {
    await stack.stop();
  });

  test("the first minutes of a new system paged nobody and warned of nothing", () => {
    const loud = calm.filter(({ severity }) => severity !== "info").map(({ alertname }) => alertname ?? "");
    expect(loud.filter((name) => !isOfMachine(name))).toEqual([]);
    expect(calm.map(({ alertname }) => alertname)).toContain("Watchdog");
  });

  test("wrong passwords", async () => {
    await times(80, (index) =>
      send("/api/auth/login", undefined, {
        name: `nobody-${index}`,
        password: "wrong-password-1",
      }),
    );
    const spike = { alertname: "FailedAuthenticationSpike", auth_method: "password" };
    expect(await follow(spike)).toEqual(["pending", "firing"]);
    await resolved(spike);
  });

  test("forged tokens, at an API and at the door for telemetry", async () => {
    const forged = `Bearer ${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
    await times(30, () => send("/api/orders", forged, {}));
    await times(30, () => send("/v1/logs", forged, {}));
    const refused = { alertname: "ClientTelemetryRefused", reason: "bad_signature" };
    const wave = { alertname: "TokenForgeryWave" };
    expect(await Promise.all([follow(wave), follow(refused)])).toEqual([
      ["pending", "firing"],
      ["pending", "firing"],
    ]);
    await Promise.all([resolved(wave), resolved(refused)]);
  });

  test("a client that tries what its scopes do not allow", async () => {
    const reader = `Bearer ${await stack.token("telemetry:read")}`;
    await times(40, () => send("/v1/traces", reader, {}));
    const probing = { alertname: "ScopeProbing", client_id: "cli" };
    expect(await follow(probing)).toEqual(["pending", "firing"]);
    await resolved(probing);
  });

  test("a client that says it is another, and one that sends what Prometheus would refuse", async () => {
    const orders = `Bearer ${await tokenOfService("orders")}`;
    expect(await send("/v1/metrics", orders, deltaMetric())).toBe(200);
    const filtered = { alertname: "CollectorPointsFiltered" };
    expect(await follow(filtered)).toEqual(["pending", "firing"]);
    await resolved(filtered);
    expect(await send("/v1/logs", orders, claimedLog("bank"))).toBe(200);
    const mismatch = { alertname: "IdentityMismatch" };
    expect(await follow(mismatch)).toEqual(["pending", "firing"]);
    await resolved(mismatch);
  });

  test("a service that hangs is down, and what it does not send is inhibited", async () => {
    const pid = await pidOf("inventory");
    const down = { alertname: "InstanceDown", service_name: "inventory" };
    const silent = { alertname: "TelemetryHeartbeatLost", service_name: "inventory", signal: "metrics" };
    process.kill(pid, "SIGSTOP");
    try {
      expect(await Promise.all([follow(down), follow(silent)])).toEqual([
        ["pending", "firing"],
        ["pending", "firing"],
      ]);
      const inhibited = await eventually("the consequence is inhibited", 30_000, async () =>
        JSON.stringify(await get("/alertmanager/api/v2/alerts?active=false&silenced=false")).includes("Heartbeat")
          ? true
          : undefined,
      );
      expect(inhibited).toBe(true);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await Promise.all([resolved(down), resolved(silent)]);
  });

  test("a Loki that hangs: it is down, and the collector's queue grows and empties", async () => {
    const pid = await pidOf("loki");
    const down = { alertname: "InstanceDown", service_name: "loki" };
    const backlog = { alertname: "CollectorQueueBacklog", exporter: "otlp_http/loki" };
    process.kill(pid, "SIGSTOP");
    try {
      expect(await Promise.all([follow(down), follow(backlog)])).toEqual([
        ["pending", "firing"],
        ["pending", "firing"],
      ]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await Promise.all([resolved(down), resolved(backlog)]);
  });
});

/** Where tests run other things run too: a busy machine is no fault of this system. */
function isOfMachine(name: string): boolean {
  return ["HighCPUUsage", "HighMemoryUsage", "HighDiskUsage", "DiskAlmostFull"].includes(name);
}
