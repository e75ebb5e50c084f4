import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { type OtlpSink, startOtlpSink } from "@vitrine/kit/testing/otlp-sink";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineCommand, type TraceSampling } from "../../dev/engines/command.ts";
import { engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { type ProvidedEngine, provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets, temporaryDirectory } from "../../dev/engines/testing.ts";
import { makeCertificates } from "../../services/gateway/src/testing/certificates.ts";

/** The collector with its committed config, before an endpoint that stands for all engines. */
const buildTimeoutMs = 45 * 60_000;

setDefaultTimeout(60_000);

interface Collector {
  readonly sink: OtlpSink;
  readonly archive: string;
  readonly send: (signal: "logs" | "traces", body: object) => Promise<void>;
}

let provided: ProvidedEngine;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  provided = await provideEngine(collectorEngine(), { mode: "native" });
}, buildTimeoutMs);

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

function collectorEngine() {
  const engine = engineNamed("collector");
  if (engine === undefined) throw new Error("no engine collector");
  return engine;
}

interface CollectorOptions {
  readonly traces?: TraceSampling;
  /** In addition to the committed ones. */
  readonly configs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function startCollector({ traces = "all", configs = [], env: more = {} }: CollectorOptions): Promise<Collector> {
  const directory = await temporaryDirectory();
  stops.push(async () => directory[Symbol.asyncDispose]());
  const sink = await startOtlpSink();
  stops.push(() => sink.stop());
  // Prometheus and Loki take OTLP below paths of their own.
  const door = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const path = new URL(request.url).pathname.replace(/^.*(?=\/v1\/(?:logs|metrics|traces)$)/, "");
      return fetch(sink.url + path, { method: "POST", headers: request.headers, body: await request.arrayBuffer() });
    },
  });
  stops.push(() => door.stop(true));
  const [otlp, health, metrics] = [await freePort(), await freePort(), await freePort()];
  const engines = { prometheus: door.port ?? 0, loki: door.port ?? 0, jaegerOtlp: door.port ?? 0 };
  const options = {
    ports: {
      ...defaultEnginePorts,
      ...engines,
      collectorOtlp: otlp,
      collectorHealth: health,
      collectorMetrics: metrics,
      postgres: await freePort(),
      gateway: await freePort(),
      otlp: await freePort(),
    },
    dataDir: directory.path,
    retention: "7d",
    repoRoot: repositoryRoot,
    secretsDir: await makeEngineSecrets(directory.path),
    traces,
  };
  const { argv, env, readyUrl } = engineCommand(collectorEngine(), provided, options);
  const child = Bun.spawn([...argv, ...configs.map((config) => `--config=${config}`)], {
    env: { ...Bun.env, ...env, ...more },
    stdout: "ignore",
    stderr: "ignore",
  });
  stops.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  await eventually("the collector is ready", 30_000, async () => (await fetch(readyUrl)).ok);
  return {
    sink,
    archive: join(directory.path, "archive"),
    send: async (signal, body) => {
      const response = await fetch(`http://127.0.0.1:${otlp}/v1/${signal}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(200);
    },
  };
}

const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
const at = (offsetMs: number): string => `${BigInt(Date.now() + offsetMs) * 1_000_000n}`;
const attributesOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));

function logs(bodies: readonly string[], attributes: Readonly<Record<string, string>> = {}) {
  const logRecords = bodies.map((text) => ({
    timeUnixNano: at(0),
    severityNumber: 9,
    body: { stringValue: text },
    attributes: attributesOf(attributes),
  }));
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
}

const randomHex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

function trace(name: string, durationMs: number, isError: boolean, attributes: Readonly<Record<string, string>> = {}) {
  const span = {
    traceId: randomHex(16),
    spanId: randomHex(8),
    name,
    kind: 2,
    startTimeUnixNano: at(-durationMs),
    endTimeUnixNano: at(0),
    attributes: attributesOf(attributes),
    status: isError ? { code: 2 } : {},
  };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
}

async function archived(archive: string, signal: string): Promise<string> {
  const files = (await readdir(archive)).filter((name) => name.startsWith(signal) && name.endsWith(".jsonl"));
  return (await Promise.all(files.map((name) => Bun.file(join(archive, name)).text()))).join("");
}

/** Put together here, so that nothing in this file looks like a secret to those who search for them. */
const secrets = {
  jwt: ["eyJhbGciOiJFZERTQSJ9", "eyJzdWIiOiJzb21lYm9keSJ9", "c2lnbmF0dXJlLXNpZ25hdHVyZQ"].join("."),
  bearer: `Bearer ${"k".repeat(40)}`,
  url: ["postgres://orders", "hunter2hunter2@127.0.0.1/vitrine"].join(":"),
  card: "4111111111111111",
  pem: ["-----BEGIN PRIVATE", " KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ", "\n-----END"].join(""),
} as const;

describe("what should never have been recorded", () => {
  test("is masked in logs and spans before it is stored or archived, and what stands beside it is kept", async () => {
    const { sink, archive, send } = await startCollector({});
    const attributes = { "user.password": "correct-horse", "http.request.header.authorization": "Basic Zm9vOmJhcg" };
    const texts = Object.values(secrets).map((secret) => `before ${secret} after`);
    await send("logs", logs(texts, { ...attributes, "order.id": "order-1" }));
    await send("traces", trace("leaky", 5, false, { ...attributes, ...secrets, "order.id": "order-1" }));
    await eventually("both are stored", 15_000, async () =>
      sink.logs.length === texts.length && sink.spans.length === 1 ? true : undefined,
    );
    const stored = JSON.stringify([sink.logs, sink.spans]);
    const kept = (await archived(archive, "logs")) + (await archived(archive, "traces"));
    for (const place of [stored, kept]) {
      for (const secret of [...Object.values(secrets), ...Object.values(attributes)]) {
        const text = JSON.stringify(secret).slice(1, -1);
        expect(place.includes(text), secret).toBe(false);
      }
      expect(place).toContain("order-1");
      expect(place).toContain("before ");
    }
  });
});

describe("the archive", () => {
  test("is one OTLP request a line, goes on in another file when one is full, and loses nothing on the way", async () => {
    const small = "yaml:exporters::file/logs::rotation::max_megabytes: 1";
    const { archive, send } = await startCollector({ configs: [small] });
    const filler = "x".repeat(2_000);
    for (let request = 0; request < 20; request += 1)
      await send("logs", logs(Array.from({ length: 50 }, (_, index) => `line-${request * 50 + index} ${filler}`)));
    const files = (await readdir(archive)).filter((name) => name.startsWith("logs"));
    expect(files.length).toBeGreaterThan(1);
    const text = await archived(archive, "logs");
    for (const line of text.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ resourceLogs: [{}] });
    const found = new Set([...text.matchAll(/line-(\d+) /g)].map(([, number]) => number));
    expect(found.size).toBe(1_000);
  });
});

describe("traces that are sampled", () => {
  test("keep all errors, all slow ones and a share of the rest, and metrics count every span", async () => {
    const { sink, send } = await startCollector({ traces: "sampled" });
    for (let index = 0; index < 200; index += 1) await send("traces", trace("usual", 5, false));
    for (let index = 0; index < 10; index += 1) {
      await send("traces", trace("failed", 5, true));
      await send("traces", trace("slow", 800, false));
    }
    const count = (name: string) => sink.spans.filter((span) => span.name === name).length;
    await eventually("all that must be kept", 30_000, async () =>
      count("failed") === 10 && count("slow") === 10 ? true : undefined,
    );
    expect(count("usual")).toBeGreaterThan(0);
    expect(count("usual")).toBeLessThan(60);
    const counted = await eventually("calls of all spans", 15_000, async () => {
      const sum = callsOf(sink).reduce((total, { value }) => total + value, 0);
      return sum >= 220 ? sum : undefined;
    });
    expect(counted).toBe(220);
  });
});

describe("probes", () => {
  test("ask with a token what needs one, and tell of status, silence and the days left to the certificate", async () => {
    using certificates = makeCertificates("door");
    const { certFile, keyFile } = certificates.files;
    const door = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert: Bun.file(certFile), key: Bun.file(keyFile) },
      fetch: (request) => answerAtTheDoor(request),
    });
    stops.push(() => door.stop(true));
    const GATEWAY_URL = `https://127.0.0.1:${door.port}`;
    const { sink } = await startCollector({ env: { GATEWAY_URL, SSL_CERT_FILE: certFile } });
    const valueOf = (name: string, path: string, statusClass?: string) =>
      (sink.metrics.get(`prober httpcheck.${name}`)?.points ?? []).find(
        ({ attributes }) =>
          String(attributes["http.url"]).endsWith(path) &&
          (statusClass === undefined || attributes["http.status_class"] === statusClass),
      );
    await eventually("the first probes", 40_000, async () =>
      valueOf("status", "/metrics", "2xx") === undefined ? undefined : true,
    );
    expect(valueOf("status", "/health/live", "2xx")?.value).toBe(1);
    expect(valueOf("status", "/api/orders?limit=1", "2xx")?.value).toBe(1);
    expect(valueOf("status", "/api/catalog?limit=1", "2xx")?.value).toBe(0);
    expect(valueOf("status", "/api/catalog?limit=1", "5xx")?.value).toBe(1);
    // Nobody listens at the port for telemetry.
    expect(valueOf("error", "/health/ready")?.attributes).not.toHaveProperty("error.message");
    expect(valueOf("status", "/health/live", "2xx")?.attributes).not.toHaveProperty("http.status_code");
    const left = valueOf("tls.cert_remaining", "/health/live")?.value ?? 0;
    expect(left / 86_400).toBeCloseTo(2, 1);
    expect(sink.metrics.get("prober httpcheck.tls.cert_remaining")?.unit).toBe("s");
  });
});

describe("a database without pg_stat_statements", () => {
  test("is measured, and what takes long in it, or leaves a transaction open, is seen while it lasts", async () => {
    const database = await startPostgres({ ownServer: true });
    await using directory = await temporaryDirectory();
    const passwordFile = join(directory.path, "password");
    await Bun.write(passwordFile, "of-the-collector");
    await database.run(
      "create role collector with login password 'of-the-collector'",
      "grant pg_monitor to collector",
      "create database vitrine",
    );
    const { sink } = await startCollector({
      env: { POSTGRES_ENDPOINT: new URL(database.url).host, COLLECTOR_DATABASE_PASSWORD_FILE: passwordFile },
    });
    await using forgotten = await connected(database.url);
    await forgotten.query("begin");
    await forgotten.query("select 'forgotten'");
    const since = performance.now();
    const seen = eventually("the transaction that is left open", 90_000, async () => {
      const found = sink.logs.find(({ body }) => String(body).startsWith("idle in a transaction after: select"));
      return found && { found, afterMs: performance.now() - since };
    });
    const runs = database.run("select pg_sleep(30)");
    const sample = await eventually("the statement that runs", 45_000, async () =>
      sink.logs.find(({ body }) => String(body).includes("pg_sleep")),
    );
    expect(sample).toMatchObject({ service: "postgres", attributes: { action: "db.query_sample" } });
    expect(sink.metrics.get("postgres postgresql.connection.max")?.points[0]?.value).toBeGreaterThan(0);
    await runs;
    const { found, afterMs } = await seen;
    expect(found.attributes).toMatchObject({ action: "db.query_sample", "postgresql.state": "idle in transaction" });
    // Any session is idle for a moment between two statements.
    expect(afterMs).toBeGreaterThan(29_000);
  }, 120_000);
});

async function connected(connectionString: string) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return { query: (text: string) => client.query(text), [Symbol.asyncDispose]: () => client.end() };
}

async function answerAtTheDoor(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/oauth/token")
    return Response.json({ access_token: "probe", token_type: "Bearer", expires_in: 900 });
  if (pathname === "/api/catalog") return new Response(null, { status: 503 });
  const isOpen = pathname.startsWith("/health/") || pathname.startsWith("/.well-known/");
  const isKnown = request.headers.get("authorization") === "Bearer probe";
  return new Response(null, { status: isOpen || isKnown ? 200 : 401 });
}

function callsOf(sink: OtlpSink) {
  return [...sink.metrics.values()]
    .filter(({ name }) => name.endsWith("span.metrics.calls"))
    .flatMap(({ points }) => points);
}
