import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineCommand, type EngineRunOptions } from "../../dev/engines/command.ts";
import { engines, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts, type EnginePorts } from "../../dev/engines/ports.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets, temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";

/** The five real engines on free ports: what goes in at the collector comes out of Prometheus, Loki and Jaeger. */
const buildTimeoutMs = 45 * 60_000;
const arrivalTimeoutMs = 15_000;

const running: Bun.Subprocess[] = [];
let directory: TemporaryDirectory;
let ports: EnginePorts = defaultEnginePorts;

beforeAll(async () => {
  directory = await temporaryDirectory();
  ports = await freePorts();
  const secretsDir = await makeEngineSecrets(directory.path);
  const ready = engines.map(async (engine) => {
    const provided = await provideEngine(engine, { mode: "native" });
    const dataDir = join(directory.path, engine.name);
    const options: EngineRunOptions = { ports, dataDir, retention: "7d", repoRoot: repositoryRoot, secretsDir };
    await prepareEngine(engine, options);
    const command = engineCommand(engine, provided, options);
    const log = Bun.file(join(dataDir, "log"));
    running.push(
      Bun.spawn([...command.argv], { env: { ...Bun.env, ...command.env }, cwd: dataDir, stdout: log, stderr: log }),
    );
    await eventually(
      `${engine.name} ready`,
      arrivalTimeoutMs,
      async () => (await fetch(command.readyUrl)).status === 200,
    );
  });
  await Promise.all(ready);
}, buildTimeoutMs);

afterAll(async () => {
  for (const engine of running) engine.kill();
  await Promise.all(running.map(({ exited }) => exited));
  await directory[Symbol.asyncDispose]();
}, 60_000);

test("the engines listen on loopback only", async () => {
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  // A machine without a network has no other address to be reached at.
  if (address === undefined) return;
  for (const name of engines.flatMap((engine) => engine.ports)) {
    expect(await accepts("127.0.0.1", ports[name]), `${name} on loopback`).toBe(true);
    expect(await accepts(address, ports[name]), `${name} on ${address}`).toBe(false);
  }
});

describe("telemetry of a client the gateway calls orders, which calls itself bank", () => {
  const id = crypto.randomUUID().replaceAll("-", "");

  beforeAll(async () => {
    await Promise.all([send("logs", logs(id)), send("traces", traces(id)), send("metrics", metrics(id))]);
  });

  test("its log is found in Loki by request id, under its true name and with its claim", async () => {
    const query = `{service_name="orders"} | request_id="${id}" | client_id="client-1" | client_claimed_service="bank"`;
    await eventually("log in Loki", arrivalTimeoutMs, async () =>
      isFound(await ask(ports.loki, "/loki/api/v1/query_range", { query })),
    );
  }, 30_000);

  test("its trace is found in Jaeger by id", async () => {
    await eventually("trace in Jaeger", arrivalTimeoutMs, async () => {
      const response = await fetch(`http://127.0.0.1:${ports.jaeger}/api/v3/traces/${id}`);
      const text = await response.text();
      return (
        response.status === 200 && text.includes('"stringValue":"orders"') && text.includes('"stringValue":"client-1"')
      );
    });
  }, 30_000);

  test("its metric is in Prometheus, and so is one that was sent as a difference, summed up", async () => {
    await seen(`orders_placed_total{service_name="orders", client_id="client-1", piece="${id}"} == 7`);
    await seen(`not_cumulative_total{service_name="orders", piece="${id}"} == 7`);
  }, 30_000);

  test("its HTTP metric is there by the compatible name too", async () => {
    await seen(`http_requests_total{service_name="orders", route="/${id}", method="POST", status_code="201"} == 1`);
  }, 30_000);

  test("its span is counted, with an exemplar that leads to the trace", async () => {
    await seen(
      `traces_span_metrics_calls_total{service_name="orders", http_route="/${id}", http_response_status_code="201"} == 1`,
    );
    const query = `traces_span_metrics_duration_seconds_bucket{http_route="/${id}"}`;
    const now = Date.now() / 1000;
    await eventually("exemplar", arrivalTimeoutMs, async () => {
      const found = await ask(ports.prometheus, "/api/v1/query_exemplars", {
        query,
        start: `${now - 600}`,
        end: `${now + 600}`,
      });
      return found.includes(id);
    });
  }, 30_000);

  test("the false claim is counted by the collector", async () => {
    await seen('otelcol_exporter_sent_log_records{exporter="debug/mismatch"} >= 1');
  }, 30_000);

  test("every engine is scraped, and Alertmanager is known to Prometheus", async () => {
    await seen("count(up == 1) == 5");
    await eventually("Alertmanager", arrivalTimeoutMs, async () =>
      (await ask(ports.prometheus, "/api/v1/alertmanagers", {})).includes(`${ports.alertmanager}`),
    );
  }, 30_000);
});

async function seen(query: string): Promise<void> {
  await eventually(query, arrivalTimeoutMs, async () =>
    isFound(await ask(ports.prometheus, "/api/v1/query", { query })),
  );
}

async function ask(port: number, path: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}?${new URLSearchParams(parameters)}`);
  return response.text();
}

function isFound(answer: string): boolean {
  return answer.includes('"status":"success"') && !answer.includes('"result":[]');
}

async function accepts(hostname: string, port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname, port, socket: { data: () => undefined } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

async function freePorts(): Promise<EnginePorts> {
  const names = Object.keys(defaultEnginePorts) as readonly (keyof EnginePorts)[];
  const servers = await Promise.all(names.map(listen));
  const free = servers.map(({ port }, index) => [names[index], port] as const);
  await Promise.all(servers.map(({ close }) => close()));
  return { ...defaultEnginePorts, ...Object.fromEntries(free) };
}

async function listen(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function send(signal: "logs" | "traces" | "metrics", body: unknown): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${ports.collectorOtlp}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-client-id": "client-1", "x-client-service": "orders" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const resource = { attributes: [text("service.name", "bank"), text("service.instance.id", "1")] };
const nanoseconds = (millisecondsAgo: number): string => `${BigInt(Date.now() - millisecondsAgo) * 1_000_000n}`;

function httpAttributes(id: string) {
  return [
    text("http.route", `/${id}`),
    text("http.request.method", "POST"),
    { key: "http.response.status_code", value: { intValue: "201" } },
  ];
}

function logs(id: string) {
  const record = {
    timeUnixNano: nanoseconds(0),
    severityNumber: 9,
    body: { stringValue: "order placed" },
    attributes: [text("request.id", id)],
  };
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
}

function traces(id: string) {
  const span = {
    traceId: id,
    spanId: id.slice(0, 16),
    name: "POST",
    kind: 2,
    startTimeUnixNano: nanoseconds(120),
    endTimeUnixNano: nanoseconds(0),
    attributes: httpAttributes(id),
  };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
}

function metrics(id: string) {
  const times = { startTimeUnixNano: nanoseconds(1000), timeUnixNano: nanoseconds(0) };
  const placed = { ...times, asInt: "7", attributes: [text("piece", id)] };
  const duration = {
    ...times,
    count: "1",
    sum: 0.12,
    bucketCounts: ["0", "1", "0"],
    explicitBounds: [0.1, 0.25],
    attributes: httpAttributes(id),
  };
  const series = [
    {
      name: "orders.placed",
      unit: "{order}",
      sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [placed] },
    },
    {
      name: "http.server.request.duration",
      unit: "s",
      histogram: { aggregationTemporality: 2, dataPoints: [duration] },
    },
    { name: "not.cumulative", sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [placed] } },
  ];
  return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: series }] }] };
}
