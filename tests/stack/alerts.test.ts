import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { renderedAlertmanagerConfig, renderedPrometheusConfig } from "../../dev/engines/command.ts";
import { alertsOf, lokiRules } from "../config/rule-files.ts";
import { getJson, type Stack, startStack } from "./stack.ts";

/**
 * Faults are switched on in a whole running system, and their alerts are followed: pending, firing at Alertmanager, told
 * to the notifier, and told as resolved once the fault is off. A quarter of an hour, so only with STACK_ALERTS=on. First
 * the rules as they are, to measure how soon; then with their windows made shorter. Their thresholds stay.
 */
const isWanted = Bun.env["STACK_ALERTS"] === "on";

const coldStartMs = 60 * 60_000;
const firesWithinMs = 90_000;
/** An alert whose rule is replaced ends by itself after four minutes. */
const resolvesWithinMs = 300_000;
/** Rules as they are see a fault for five minutes, some for ten. */
const calmWithinMs = 700_000;

setDefaultTimeout(1_200_000);

const root = join(import.meta.dir, "../..");

const prometheusAnswer = z.object({
  data: z.object({
    alerts: z.array(z.looseObject({ labels: z.record(z.string(), z.string()), state: z.enum(["pending", "firing"]) })),
  }),
});

const notifierAnswer = z.object({
  items: z.array(z.looseObject({ status: z.enum(["firing", "resolved"]), labels: z.record(z.string(), z.string()) })),
});

const alertmanagerAnswer = z.array(z.looseObject({ labels: z.record(z.string(), z.string()) }));

const alertsOfLoki = new Set(lokiRules.flatMap(alertsOf).map(({ alert }) => alert));

const wholeWay = ["pending", "firing", "told"];

type Labels = Readonly<Record<string, string>>;

let stack: Stack;
let token: string;
let calm: readonly Labels[];

const get = (path: string): Promise<unknown> => getJson(stack, token, path);

function isIt(wanted: Labels): (alert: { readonly labels: Labels }) => boolean {
  return ({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/** The newest alerts the notifier knows, as its history has them. */
async function history(wanted: Labels) {
  const { items } = notifierAnswer.parse(await get(`/api/notifier/alerts?name=${wanted["alertname"]}&limit=100`));
  return items.filter(isIt(wanted));
}

async function isTold(wanted: Labels): Promise<boolean> {
  return (await history(wanted)).some(({ status }) => status === "firing");
}

/** `pending` once Prometheus says so, `firing` once Alertmanager holds it, `told` once the notifier knows. */
async function follow(wanted: Labels, { isInhibited = false } = {}): Promise<readonly string[]> {
  const seen: string[] = [];
  await eventually(`${JSON.stringify(wanted)} fires, after ${seen.join()}`, firesWithinMs, async () => {
    const { data } = prometheusAnswer.parse(await get("/prometheus/api/v1/alerts"));
    const states = data.alerts.filter(isIt(wanted)).map(({ state }) => state);
    if (states.includes("pending") && !seen.includes("pending")) seen.push("pending");
    if (!alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).some(isIt(wanted))) return undefined;
    if (!seen.includes("firing")) seen.push("firing");
    if (isInhibited) return true;
    if (!(await isTold(wanted))) return undefined;
    seen.push("told");
    return true;
  });
  return seen;
}

function resolved(wanted: Labels, { isInhibited = false } = {}): Promise<true> {
  return eventually(`${JSON.stringify(wanted)} is resolved`, resolvesWithinMs, async () => {
    if (alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).some(isIt(wanted))) return undefined;
    return isInhibited || !(await isTold(wanted)) || undefined;
  });
}

/** What lasts for hours, or is read from logs of minutes, is not waited for. */
async function calmAgain(): Promise<void> {
  let loud: readonly (string | undefined)[] = [];
  await eventually("all is calm", calmWithinMs, async () => {
    const firing = alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts"));
    loud = firing
      .filter(({ labels }) => labels["severity"] !== "info")
      .map(({ labels }) => labels["alertname"])
      .filter((name = "") => !isOfMachine(name) && !isLasting(name));
    return loud.length === 0 || undefined;
  }).catch((cause: unknown) => {
    throw new Error(`not calm: ${loud.join(", ")}`, { cause });
  });
}

function isLasting(name: string): boolean {
  return name.startsWith("ErrorBudget") || alertsOfLoki.has(name);
}

/** Of inventory, which has them all; it goes off by itself when this process cannot switch it off any more. */
async function withFault(name: string, parameters: Readonly<Record<string, number>>, act: () => Promise<void>) {
  const call = async (method: string, body?: object): Promise<void> => {
    const response = await fetch(`${stack.gateway}/api/inventory/faults/${name}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${name}: ${response.status} ${await response.text()}`);
  };
  await call("PUT", { forSeconds: 300, parameters });
  try {
    await act();
  } finally {
    await call("DELETE");
  }
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

/** Groups are told every two seconds; who is told, and what is held back, stays. */
function quickenedNotifications(config: string): string {
  return config.replaceAll(/(group_wait|group_interval): .*/g, "$1: 2s");
}

async function writeQuickRules(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of (await readdir(join(root, "prometheus/rules"))).filter((one) => one.endsWith(".rules.yaml")))
    await Bun.write(join(folder, name), quickened(name, await Bun.file(join(root, "prometheus/rules", name)).text()));
}

let original: { readonly prometheus: string; readonly alertmanager: string } | undefined;

/** Makes Prometheus and Alertmanager read their configs anew, as committed or made quicker. */
async function useRules(pace: "committed" | "quick"): Promise<void> {
  const files = {
    prometheus: renderedPrometheusConfig(join(stack.directory, "data/prometheus")),
    alertmanager: renderedAlertmanagerConfig(join(stack.directory, "data/alertmanager")),
  };
  original ??= {
    prometheus: await Bun.file(files.prometheus).text(),
    alertmanager: await Bun.file(files.alertmanager).text(),
  };
  const folder = join(stack.directory, "rules");
  await writeQuickRules(folder);
  const parsed = z.looseObject({}).parse(Bun.YAML.parse(original.prometheus));
  const quickConfig = Bun.YAML.stringify({ ...parsed, rule_files: [join(folder, "*.rules.yaml")] }, null, 2);
  const isQuick = pace === "quick";
  await Bun.write(files.prometheus, isQuick ? quickConfig : original.prometheus);
  await Bun.write(files.alertmanager, isQuick ? quickenedNotifications(original.alertmanager) : original.alertmanager);
  for (const name of ["prometheus", "alertmanager"]) process.kill(await pidOf(name), "SIGHUP");
  await eventually(`the ${pace} rules are in use`, 60_000, async () =>
    JSON.stringify(await get("/prometheus/api/v1/rules")).includes(folder) === isQuick ? true : undefined,
  );
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

const wrongPassword = (index: number) => ({ name: `nobody-${index}`, password: "wrong-password-1" });

const now = (): string => `${BigInt(Date.now()) * 1_000_000n}`;

function claimedLog(service: string) {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  const record = { timeUnixNano: now(), severityNumber: 9, body: { stringValue: "not who it says" } };
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
}

function futureMetric() {
  const inAnHour = `${BigInt(Date.now() + 3_600_000) * 1_000_000n}`;
  const point = { startTimeUnixNano: now(), timeUnixNano: inAnHour, asInt: "1" };
  const metric = { name: "of.tomorrow", sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] } };
  return { resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ metrics: [metric] }] }] };
}

describe.skipIf(!isWanted)("with faults switched on", () => {
  beforeAll(async () => {
    stack = await startStack();
    await eventually("the whole system is up", coldStartMs, async () => (await stack.doctor()).ok);
    token = await stack.token();
    // Rules hold back while Prometheus is new.
    await eventually("Prometheus is no longer new", 180_000, async () =>
      JSON.stringify(await get("/prometheus/api/v1/query?query=prometheus:starting%20%3D%3D%200")).includes('"value"')
        ? true
        : undefined,
    );
    calm = alertmanagerAnswer.parse(await get("/alertmanager/api/v2/alerts")).map(({ labels }) => labels);
  }, coldStartMs);

  afterAll(async () => {
    await stack.stop();
  });

  // A token is good for a quarter of an hour.
  beforeEach(async () => {
    token = await stack.token();
  });

  test("the first minutes of a new system paged nobody and warned of nothing", () => {
    const loud = calm.filter(({ severity }) => severity !== "info").map(({ alertname }) => alertname ?? "");
    expect(loud.filter((name) => !isOfMachine(name))).toEqual([]);
    expect(calm.map(({ alertname }) => alertname)).toContain("Watchdog");
  });

  test("as the rules are, the notifier knows of an attack and of a service that hangs within a minute", async () => {
    await useRules("committed");
    await calmAgain();
    const since = async (what: string, wanted: Labels): Promise<void> => {
      const startedAt = performance.now();
      await eventually(`${what} at the notifier`, 60_000, async () => await isTold(wanted));
      const seconds = (performance.now() - startedAt) / 1_000;
      await Bun.write(Bun.stderr, `${what}: at the notifier after ${seconds.toFixed(1)} s\n`);
    };
    const forged = `Bearer ${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
    const pid = await pidOf("inventory");
    process.kill(pid, "SIGSTOP");
    try {
      const down = since("a service that hangs", { alertname: "InstanceDown", service_name: "inventory" });
      await times(30, () => send("/api/orders", forged, {}));
      const wave = since("forged tokens", { alertname: "TokenForgeryWave" });
      await times(80, (index) => send("/api/auth/login", undefined, wrongPassword(index)));
      const spike = since("wrong passwords", { alertname: "FailedAuthenticationSpike", auth_method: "password" });
      await Promise.all([down, wave, spike]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  describe("and rules made quicker", () => {
    beforeAll(() => useRules("quick"));
    // An alert that fires already would not be seen to become pending.
    beforeEach(calmAgain);

    test("wrong passwords", async () => {
      await times(80, (index) => send("/api/auth/login", undefined, wrongPassword(index)));
      const spike = { alertname: "FailedAuthenticationSpike", auth_method: "password" };
      expect(await follow(spike)).toEqual(wholeWay);
      await resolved(spike);
    });

    test("forged tokens, at an API and at the door for telemetry", async () => {
      const forged = `Bearer ${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
      await times(30, () => send("/api/orders", forged, {}));
      await times(30, () => send("/v1/logs", forged, {}));
      const refused = { alertname: "ClientTelemetryRefused", reason: "bad_signature" };
      const wave = { alertname: "TokenForgeryWave" };
      expect(await Promise.all([follow(wave), follow(refused)])).toEqual([wholeWay, wholeWay]);
      await Promise.all([resolved(wave), resolved(refused)]);
    });

    test("a client that tries what its scopes do not allow", async () => {
      const reader = `Bearer ${await stack.token("telemetry:read")}`;
      await times(40, () => send("/v1/traces", reader, {}));
      const probing = { alertname: "ScopeProbing", client_id: "cli" };
      expect(await follow(probing)).toEqual(wholeWay);
      await resolved(probing);
    });

    test("a client that says it is another, and one that sends what Prometheus would refuse", async () => {
      const orders = `Bearer ${await tokenOfService("orders")}`;
      expect(await send("/v1/metrics", orders, futureMetric())).toBe(200);
      const filtered = { alertname: "CollectorPointsFiltered" };
      expect(await follow(filtered)).toEqual(wholeWay);
      await resolved(filtered);
      await calmAgain();
      expect(await send("/v1/logs", orders, claimedLog("bank"))).toBe(200);
      const mismatch = { alertname: "IdentityMismatch" };
      expect(await follow(mismatch)).toEqual(wholeWay);
      await resolved(mismatch);
    });

    test("a service that hangs is down, and what it does not send is inhibited", async () => {
      const pid = await pidOf("inventory");
      const down = { alertname: "InstanceDown", service_name: "inventory" };
      const silent = { alertname: "TelemetryHeartbeatLost", service_name: "inventory", signal: "metrics" };
      process.kill(pid, "SIGSTOP");
      try {
        expect(await Promise.all([follow(down), follow(silent, { isInhibited: true })])).toEqual([
          wholeWay,
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
      await Promise.all([resolved(down), resolved(silent, { isInhibited: true })]);
    });

    test("a Loki that hangs: it is down, and the collector's queue grows and empties", async () => {
      const pid = await pidOf("loki");
      const down = { alertname: "InstanceDown", service_name: "loki" };
      const backlog = { alertname: "CollectorQueueBacklog", exporter: "otlp_http/loki" };
      process.kill(pid, "SIGSTOP");
      try {
        expect(await Promise.all([follow(down), follow(backlog, { isInhibited: true })])).toEqual([
          wholeWay,
          ["pending", "firing"],
        ]);
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await Promise.all([resolved(down), resolved(backlog, { isInhibited: true })]);
    });

    test.each([
      ["errors", { ratio: 1 }, { alertname: "HighErrorRate", service_name: "inventory" }],
      ["latency", { delayMs: 2_000 }, { alertname: "HighResponseTime", service_name: "inventory" }],
      ["slow_sql", { delayMs: 700, ratio: 1 }, { alertname: "SlowQueries", service_name: "inventory" }],
      ["pool_exhaustion", { leave: 0 }, { alertname: "DatabaseConnectionsHigh", service_name: "inventory" }],
      ["memory_pressure", { megabytes: 700 }, { alertname: "ServiceMemoryHigh", service_name: "inventory" }],
    ] as const)("the fault %s", async (name, parameters, wanted) => {
      // A machine that is busy with other things may be slow without a fault.
      await resolved(wanted);
      await withFault(name, parameters, async () => {
        expect(await follow(wanted)).toEqual(wholeWay);
      });
      await resolved(wanted);
    });

    test("inventory that answers nothing but 503: probes fail, and who calls it stops to", async () => {
      const probe = { alertname: "ProbeFailing", http_url: `${stack.gateway}/api/inventory?limit=1` };
      const circuit = { alertname: "UpstreamCircuitOpen", service_name: "orders", upstream: "inventory" };
      await withFault("inventory_down", {}, async () => {
        expect(await Promise.all([follow(probe), follow(circuit)])).toEqual([wholeWay, wholeWay]);
      });
      await Promise.all([resolved(probe), resolved(circuit)]);
    });

    test("rows that everybody needs and somebody has locked, as the database itself tells", async () => {
      const contention = { alertname: "DatabaseLockContention" };
      await withFault("lock_contention", { holdMs: 3_000 }, async () => {
        // The rules of Loki are not made quicker: two minutes have to be full of it.
        await eventually("the notifier is told", 200_000, async () => await isTold(contention));
      });
    });
  });
});

/** Where tests run other things run too: a busy machine, and what is slow on it, is no fault of this system. */
function isOfMachine(name: string): boolean {
  return [
    "DiskAlmostFull",
    "HighCPUUsage",
    "HighDiskUsage",
    "HighInodeUsage",
    "HighMemoryUsage",
    "HighResponseTime",
    "SlowQueries",
  ].includes(name);
}
