import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type OtlpSink, startOtlpSink } from "../testing/otlp-sink.ts";
import { startPostgres } from "../testing/postgres.ts";
import { eventually } from "../testing/eventually.ts";

/** Processes and servers of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

const root = join(import.meta.dir, "..");
let sink: OtlpSink;
let base: string;
let service: Subprocess<"ignore", "pipe", "inherit">;

/** SERVER and CLIENT as the protocol numbers them. */
const kinds = { server: 2, client: 3 } as const;

async function firstLine(stream: ReadableStream<Uint8Array>, wanted: RegExp): Promise<RegExpExecArray> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const match = wanted.exec(text);
    if (match !== null) return match;
  }
  throw new Error(`the fixture ended without ${wanted}: ${text}`);
}

/** Writes a request and closes the connection at once, as a client does whose user went away. */
async function sendAndLeave(path: string, id: string): Promise<void> {
  const { hostname, port, host } = new URL(base);
  const gone = Promise.withResolvers<void>();
  const text = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-request-id: ${id}\r\n\r\n`;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: { open: (socket) => void socket.end(text), data: () => undefined, close: () => gone.resolve() },
  });
  await gone.promise;
}

beforeAll(async () => {
  sink = await startOtlpSink();
  const { url } = await startPostgres();
  service = Bun.spawn(
    [process.execPath, "--preload", join(root, "telemetry/preload.ts"), join(root, "testing/fixture-service.ts")],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        DATABASE_URL: url,
        OTEL_SERVICE_NAME: "fixture",
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_BSP_SCHEDULE_DELAY: "100",
        OTEL_BLRP_SCHEDULE_DELAY: "100",
        OTEL_METRIC_EXPORT_INTERVAL: "200",
      },
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const [, address] = await firstLine(service.stdout, /listening on (http:\/\/[^/"]+)/);
  base = address ?? "";
});

afterAll(async () => {
  service.kill("SIGTERM");
  await service.exited;
  await sink.stop();
});

describe("telemetry preload on Bun", () => {
  test("context survives await, timers, microtasks, pg and fetch", async () => {
    const answer = await fetch(`${base}/spread`);
    const { seen } = (await answer.json()) as { seen: string[] };
    expect(seen).toHaveLength(6);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("900 concurrent requests over a pool of 10: every SQL span stands in the trace of its own request", async () => {
    const ids = Array.from({ length: 900 }, (_, n) => `load-${n}`);
    const answers = await Promise.all(
      ids.map((id, n) => fetch(`${base}/query/${n}`, { headers: { "x-request-id": id } })),
    );
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    const servers = () =>
      sink.spans.filter(
        (span) => span.kind === kinds.server && String(span.attributes["request.id"]).startsWith("load-"),
      );
    await eventually("900 server spans arrive", 20_000, () => servers().length === 900);
    await eventually(
      "900 log records arrive",
      20_000,
      () =>
        sink.logs.filter((log) => log.body === "queried" && String(log.attributes["request_id"]).startsWith("load-"))
          .length === 900,
    );
    const requestOfTrace = new Map(servers().map((span) => [span.traceId, span]));
    const statements = sink.spans.filter(
      (span) =>
        requestOfTrace.has(span.traceId) &&
        String(span.attributes["db.query.text"] ?? span.attributes["db.statement"]).startsWith("select $1::int"),
    );
    expect(requestOfTrace.size).toBe(900);
    expect(statements).toHaveLength(900);
    expect(new Set(statements.map((span) => span.traceId)).size).toBe(900);
    for (const log of sink.logs.filter(
      (record) => record.body === "queried" && String(record.attributes["request_id"]).startsWith("load-"),
    )) {
      expect(requestOfTrace.get(log.traceId)?.attributes["request.id"]).toBe(log.attributes["request_id"]);
      expect(log.attributes["request_id"]).toBe(`load-${String(log.attributes["extra.n"])}`);
    }
  });

  test("so they do among failures and clients that leave, and every count is exact", async () => {
    const requests = Array.from({ length: 900 }, (_, n) => n);
    // A third fails in the database; a third sends its request and leaves without an answer.
    await Promise.all(
      requests.map(async (n) => {
        if (n % 3 === 1) return await sendAndLeave(`/mixed/${n}`, `mixed-${n}`);
        const answer = await fetch(`${base}/mixed/${n}`, { headers: { "x-request-id": `mixed-${n}` } });
        expect(answer.status).toBe(n % 3 === 0 ? 500 : 200);
        await answer.arrayBuffer();
      }),
    );
    const servers = () => sink.spans.filter((span) => span.name === "GET /mixed/:n");
    const logsOf = (action: string) =>
      sink.logs.filter(
        (log) => log.attributes["action"] === action && String(log.attributes["request_id"]).startsWith("mixed-"),
      );
    await eventually("a span, an own line and an access line per request, and an error line per failure", 20_000, () =>
      [servers().length === 900, logsOf("http.request").length === 1_800, logsOf("http.error").length === 300].every(
        Boolean,
      ),
    );
    const idOfTrace = new Map(servers().map((span) => [span.traceId, span.attributes["request.id"]]));
    expect(idOfTrace.size).toBe(900);
    const statements = sink.spans.filter((span) => String(span.attributes["db.query.text"]).includes("as mixed"));
    expect(statements).toHaveLength(900);
    expect(new Set(statements.map((span) => span.traceId))).toEqual(new Set(idOfTrace.keys()));
    for (const span of statements) {
      const n = Number(String(idOfTrace.get(span.traceId)).slice("mixed-".length));
      expect([n, span.statusCode]).toEqual([n, n % 3 === 0 ? 2 : 0]);
    }
    for (const log of [...logsOf("http.request"), ...logsOf("http.error")])
      expect(idOfTrace.get(log.traceId)).toBe(String(log.attributes["request_id"]));

    const total = (metric: string, attribute: string, value: unknown) =>
      (sink.metrics.get(`fixture ${metric}`)?.points ?? [])
        .filter(({ attributes }) => attributes[attribute] === value)
        .reduce((sum, { count }) => sum + count, 0);
    const durations = () => total("http.server.request.duration", "http.route", "/mixed/:n");
    await eventually("the metrics of all of them arrive", 20_000, () => durations() >= 900);
    expect(durations()).toBe(900);
    expect(total("db.client.operation.duration", "error.type", "22012")).toBe(300);
    const queries = sink.spans.filter((span) => span.name.startsWith("pg.query"));
    expect(total("db.client.operation.duration", "db.system.name", "postgresql")).toBe(queries.length);
    expect(sink.metrics.get("fixture telemetry.export.dropped")?.points ?? []).toEqual([]);
  });

  test("a call between services is one trace: server, client, server, SQL, with one request id", async () => {
    const answer = await fetch(`${base}/call`, { headers: { "x-request-id": "call-1" } });
    expect(answer.headers.get("x-request-id")).toBe("call-1");
    const ofCall = () => sink.spans.filter((span) => span.attributes["request.id"] === "call-1");
    await eventually("both server spans arrive", 20_000, () => ofCall().length === 2);
    const outer = ofCall().find((span) => span.parentSpanId === "");
    const inner = ofCall().find((span) => span.parentSpanId !== "");
    const client = sink.spans.find((span) => span.spanId === inner?.parentSpanId);
    expect(outer?.name).toBe("GET /call");
    expect(inner?.name).toBe("GET /query/:n");
    expect(client?.kind).toBe(kinds.client);
    expect(client?.parentSpanId).toBe(outer?.spanId ?? "");
    const sql = sink.spans.filter(
      (span) => span.traceId === outer?.traceId && span.scope === "@opentelemetry/instrumentation-pg",
    );
    expect(sql.length).toBeGreaterThan(0);
  });

  test("traceparent of the caller is the parent of the server span", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await fetch(`${base}/query/1`, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    await eventually("the span arrives", 20_000, () =>
      sink.spans.some((span) => span.traceId === traceId && span.kind === kinds.server),
    );
    expect(sink.spans.find((span) => span.traceId === traceId && span.kind === kinds.server)?.parentSpanId).toBe(
      "b7ad6b7169203331",
    );
  });

  test("a failure is an error span, an error log with its stack, and a problem without it", async () => {
    const answer = await fetch(`${base}/fail`, { headers: { "x-request-id": "fail-1" } });
    expect(answer.status).toBe(500);
    const body = await answer.text();
    expect(body).not.toContain("broken on purpose");
    expect(JSON.parse(body)).toMatchObject({ code: "internal", requestId: "fail-1" });
    const errorLog = () =>
      sink.logs.find(
        ({ attributes }) => attributes["action"] === "http.error" && attributes["request_id"] === "fail-1",
      );
    await eventually(
      "span and log arrive",
      20_000,
      () => sink.spans.some((span) => span.attributes["request.id"] === "fail-1") && errorLog() !== undefined,
    );
    expect(sink.spans.find((span) => span.attributes["request.id"] === "fail-1")?.statusCode).toBe(2);
    const log = errorLog();
    expect(log?.severityNumber).toBe(17);
    expect(log?.attributes["exception.stacktrace"]).toContain("broken on purpose");
  });

  test("the metrics of the contract arrive by OTLP and stand on /metrics, from one reader", async () => {
    await fetch(`${base}/query/1`);
    for (const name of [
      "http.server.request.duration",
      "db.client.operation.duration",
      "app.up",
      "process.memory.usage",
      "process.cpu.time",
    ]) {
      await eventually(`${name} arrives`, 20_000, () => sink.metrics.has(`fixture ${name}`));
    }
    const durations = () => sink.metrics.get("fixture http.server.request.duration");
    expect(durations()?.unit).toBe("s");
    // Those of other requests may have arrived before.
    await eventually("the duration of the query arrives", 20_000, () =>
      (durations()?.points ?? []).some(
        ({ attributes }) => attributes["http.route"] === "/query/:n" && attributes["http.response.status_code"] === 200,
      ),
    );
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toMatch(/http_server_request_duration_count\{.*http_route="\/query\/:n"/);
  });

  test("an unknown path makes neither a route label nor a span name of its own", async () => {
    await fetch(`${base}/wp-admin/setup.php`, { headers: { "x-request-id": "stranger-1" } });
    await eventually("the span arrives", 20_000, () =>
      sink.spans.some((span) => span.attributes["request.id"] === "stranger-1"),
    );
    const span = sink.spans.find((candidate) => candidate.attributes["request.id"] === "stranger-1");
    expect(span?.name).toBe("GET");
    expect(span?.attributes["http.route"]).toBeUndefined();
  });

  test("a program that ends by itself, without runService, takes no span with it", async () => {
    const own = await startOtlpSink();
    const program = Bun.spawn(
      [process.execPath, "--preload", join(root, "telemetry/preload.ts"), join(root, "testing/fixture-script.ts")],
      { env: { OTEL_SERVICE_NAME: "script", OTEL_EXPORTER_OTLP_ENDPOINT: own.url }, stderr: "inherit" },
    );
    expect(await program.exited).toBe(0);
    expect(own.spans.map(({ service, name }) => [service, name])).toEqual([["script", "the only one"]]);
    await own.stop();
  });
});
