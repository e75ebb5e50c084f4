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

// Whatever was sent: no engine refused any of it.
afterAll(async () => {
  await seen('absent({__name__=~"otelcol_exporter_(send|enqueue)_failed_.+", job="collector"} > 0)');
  await seen("absent(loki_discarded_samples_total > 0)");
});

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
  }, 60_000);

  test("its trace is found in Jaeger by id", async () => {
    await eventually("trace in Jaeger", arrivalTimeoutMs, async () => {
      const response = await fetch(`http://127.0.0.1:${ports.jaeger}/api/v3/traces/${id}`);
      const text = await response.text();
      return (
        response.status === 200 && text.includes('"stringValue":"orders"') && text.includes('"stringValue":"client-1"')
      );
    });
  }, 60_000);

  test("its metric is in Prometheus, and so is one that was sent as a difference, summed up", async () => {
    await seen(`orders_placed_total{service_name="orders", client_id="client-1", piece="${id}"} == 7`);
    await seen(`not_cumulative_total{service_name="orders", piece="${id}"} == 7`);
  }, 60_000);

  test("its HTTP metric is there by the compatible name too", async () => {
    await seen(`http_requests_total{service_name="orders", route="/${id}", method="POST", status_code="201"} == 1`);
  }, 60_000);

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
  }, 60_000);

  test("its false claims are counted, signal by signal, under its true name", async () => {
    for (const [unit, count] of [
      ["lines", 1],
      ["spans", 1],
      ["points", 3],
    ] as const)
      await risen(`client_${unit}_mismatched_total{service_name="orders", client_id="client-1"}`, count);
  }, 60_000);

  test("every engine is scraped, and Alertmanager is known to Prometheus", async () => {
    await seen("count(up == 1) == 5");
    await eventually("Alertmanager", arrivalTimeoutMs, async () =>
      (await ask(ports.prometheus, "/api/v1/alertmanagers", {})).includes(`${ports.alertmanager}`),
    );
  }, 60_000);
});

describe("what engines would refuse", () => {
  const odd = { id: "client-2", service: "odd" };
  const neighbouring = { id: "client-3", service: "calm" };
  const day = 86_400_000;

  test.each([
    ["of nine days ago", { timeUnixNano: nanoseconds(9 * day) }],
    ["of tomorrow", { timeUnixNano: nanoseconds(-day) }],
    ["of no time", { timeUnixNano: "0" }],
    ["with an attribute without a name", { attributes: [text("", "x"), text("имя", "x")] }],
    ["with 300 attributes", { attributes: Array.from({ length: 300 }, (_, index) => text(`key${index}`, "x")) }],
    ["with an attribute of 100 kB", { attributes: [text("err.stack", "x".repeat(100_000))] }],
  ])("a log record %s is found in Loki, and so are those that come with it", async (name, fields) => {
    const id = crypto.randomUUID();
    const plain = { timeUnixNano: nanoseconds(0), body: { stringValue: `neighbour ${id}` } };
    const record = { ...plain, body: { stringValue: `odd ${id} ${name}` }, ...fields };
    await Promise.all([
      send("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [plain, record] }] }] }, odd),
      send("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [plain] }] }] }, neighbouring),
    ]);
    for (const wanted of [`{service_name="odd"} |= "odd ${id}"`, `{service_name="calm"} |= "neighbour ${id}"`])
      await eventually(wanted, arrivalTimeoutMs, async () =>
        isFound(await ask(ports.loki, "/loki/api/v1/query_range", { query: wanted })),
      );
  });

  test("a log record that comes two hours late is found in Loki under its own time", async () => {
    const id = crypto.randomUUID();
    const late = { timeUnixNano: nanoseconds(2 * 3_600_000), body: { stringValue: `late ${id}` } };
    await send("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [late] }] }] }, odd);
    const [start, end] = [nanoseconds(2 * 3_600_000 + 60_000), nanoseconds(2 * 3_600_000 - 60_000)];
    await eventually("the line", arrivalTimeoutMs, async () =>
      isFound(
        await ask(ports.loki, "/loki/api/v1/query_range", { query: `{service_name="odd"} |= "${id}"`, start, end }),
      ),
    );
  });

  const now = () => ({ startTimeUnixNano: nanoseconds(1000), timeUnixNano: nanoseconds(0) });
  const gauge = (name: string, point: object) => ({
    name,
    gauge: { dataPoints: [{ ...now(), asInt: "1", ...point }] },
  });

  test.each([
    ["of yesterday", gauge("odd.old", { timeUnixNano: nanoseconds(2 * day) })],
    ["of tomorrow", gauge("odd.early", { timeUnixNano: nanoseconds(-day) })],
    ["of a metric without a name", gauge("", {})],
    ["of a metric whose name has no letter of the alphabet", gauge("!!!", {})],
    ["of a sum that does not say of what time", { name: "odd.sum", sum: { dataPoints: [{ ...now(), asInt: "1" }] } }],
    [
      "of a histogram that is too coarse",
      {
        name: "odd.coarse",
        exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ ...now(), count: "1", sum: 1, scale: -9 }] },
      },
    ],
  ])("a point %s is counted by client, and those that come with it are kept", async (name, metric) => {
    const neighbour = gauge(`neighbour.${crypto.randomUUID().replaceAll("-", "")}`, {});
    const client = { id: `client ${name}`, service: "odd" };
    await send(
      "metrics",
      { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [neighbour, metric] }] }] },
      client,
    );
    await seen(`${neighbour.name.replace(".", "_")} == 1`);
    await risen(`client_points_refused_total{service_name="odd", client_id="${client.id}"}`, 1);
  });

  test("an attribute without a name, or with one Prometheus cannot write, costs its point nothing", async () => {
    const name = `nameless.${crypto.randomUUID().replaceAll("-", "")}`;
    const metric = gauge(name, { attributes: [text("", "x"), text("имя", "x"), text("kept", "x")] });
    await send("metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] }, odd);
    await seen(`${name.replace(".", "_")}{kept="x"} == 1`);
  });

  test("an environment that a client made up is no label, neither of series nor of streams", async () => {
    const id = crypto.randomUUID().replaceAll("-", "");
    const made = (environment: string) => ({
      attributes: [text("deployment.environment.name", environment), text("service.instance.id", id)],
    });
    const record = { timeUnixNano: nanoseconds(0), body: { stringValue: id } };
    for (const environment of ["staging", "made-up"]) {
      const of = { id: `client-${environment}`, service: "odd" };
      await send(
        "logs",
        { resourceLogs: [{ resource: made(environment), scopeLogs: [{ logRecords: [record] }] }] },
        of,
      );
      const metrics = [gauge(`environment.${id}`, {})];
      await send("metrics", { resourceMetrics: [{ resource: made(environment), scopeMetrics: [{ metrics }] }] }, of);
    }
    for (const [environment, client] of [
      ["staging", "client-staging"],
      ["", "client-made-up"],
    ]) {
      await seen(`environment_${id}{deployment_environment_name="${environment}", client_id="${client}"} == 1`);
      const query = `{service_name="odd", deployment_environment_name="${environment}"} |= "${id}" | client_id="${client}"`;
      await eventually(query, arrivalTimeoutMs, async () =>
        isFound(await ask(ports.loki, "/loki/api/v1/query_range", { query })),
      );
    }
  });

  test("whose lines were stored with the time of their arrival is counted", async () => {
    const logRecords = [9 * day, -day, 0].map((ago) => ({
      timeUnixNano: nanoseconds(ago),
      body: { stringValue: "x" },
    }));
    const client = { id: "client-clock", service: "odd" };
    await send("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }, client);
    await risen('client_lines_redated_total{service_name="odd", client_id="client-clock"}', 2);
  });
});

async function seen(query: string): Promise<void> {
  await eventually(query, arrivalTimeoutMs, async () =>
    isFound(await ask(ports.prometheus, "/api/v1/query", { query })),
  );
}

/** To a count, and from none: rules ask for the rise, which a series that begins with its first count does not have. */
async function risen(series: string, count: number): Promise<void> {
  await seen(`${series} == ${count} and increase(${series}[10m]) > 0`);
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

async function send(
  signal: "logs" | "traces" | "metrics",
  body: unknown,
  client = { id: "client-1", service: "orders" },
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${ports.collectorOtlp}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-client-id": client.id, "x-client-service": client.service },
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
