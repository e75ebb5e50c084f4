import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SeverityNumber } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import pino from "pino";
import { pinoLoki } from "pino-loki";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineNamed } from "../../dev/engines/engines.ts";
import { provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { getJson, linesOf, spansOf, valuesOf } from "./engine-answers.ts";
import { stackTimeoutMs, startTelemetryStack, type TelemetryStack } from "./telemetry-stack.ts";

let stack: TelemetryStack;
let asked = 0;
const arriveMs = 30_000;

beforeAll(async () => {
  stack = await startTelemetryStack();
}, stackTimeoutMs);
afterAll(() => stack?.stop());

/** What the exporters call before every export: a token of their own making each time, as one that is refreshed. */
function headersOf(service: string, scope: string) {
  return async () => {
    asked += 1;
    return { authorization: `Bearer ${await stack.token(scope, service)}` };
  };
}

describe("the exporters of OpenTelemetry JS, with an address and a headers function", () => {
  test("deliver spans, log records and metrics, under the name the token gives them", async () => {
    const at = (signal: string) => `${stack.otlp}/v1/${signal}`;
    const spans = new BatchSpanProcessor({
      exporter: new OTLPTraceExporter({ url: at("traces"), headers: headersOf("js-app", "traces:write") }),
    });
    const tracer = new TracerProvider({ spanProcessors: [spans] });
    const logs = new LoggerProvider({
      processors: [
        new BatchLogRecordProcessor({
          exporter: new OTLPLogExporter({ url: at("logs"), headers: headersOf("js-app", "logs:write") }),
        }),
      ],
    });
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: at("metrics"), headers: headersOf("js-app", "metrics:write") }),
    });
    const meters = new MeterProvider({ readers: [reader] });

    for (let n = 0; n < 20; n += 1) tracer.getTracer("js").startSpan(`js span ${n}`).end();
    for (let n = 0; n < 20; n += 1) {
      logs.getLogger("js").emit({ body: `js line ${n}`, severityNumber: SeverityNumber.INFO });
    }
    meters.getMeter("js").createCounter("js.orders", { unit: "{order}" }).add(7, { kind: "test" });
    await Promise.all([tracer.forceFlush(), logs.forceFlush(), meters.forceFlush()]);
    await Promise.all([tracer.shutdown(), logs.shutdown(), meters.shutdown()]);

    expect(asked).toBeGreaterThanOrEqual(3);
    const names = (kind: string) => Array.from({ length: 20 }, (_, n) => `js ${kind} ${n}`).toSorted();
    await eventually(
      "every span",
      arriveMs,
      async () => (await spansOf(stack.jaeger, "js-app")).length === 20 || undefined,
    );
    expect([...(await spansOf(stack.jaeger, "js-app"))].toSorted()).toEqual(names("span"));
    await eventually(
      "every line",
      arriveMs,
      async () => (await linesOf(stack.loki, '{service_name="js-app"}')).length === 20 || undefined,
    );
    expect([...(await linesOf(stack.loki, '{service_name="js-app"}'))].toSorted()).toEqual(names("line"));
    const series = 'js_orders_total{service_name="js-app",client_id="js-app-client"}';
    await eventually("the counter", arriveMs, async () =>
      (await valuesOf(stack.prometheus, series, "kind")).get("test") === 7 ? true : undefined,
    );
  }, 90_000);
});

describe("Loki's clients", () => {
  test("pino-loki pushes pino's lines", async () => {
    const stream = pinoLoki({
      host: stack.gateway,
      headers: { authorization: `Bearer ${await stack.token("logs:write", "pino-app")}` },
      labels: { service_name: "pino-app" },
      batching: { interval: 1 },
      silenceErrors: false,
    });
    const logger = pino({ level: "debug" }, stream);
    for (let n = 0; n < 50; n += 1) logger.info({ n }, `pino line ${n}`);
    const closed = once(stream, "close");
    stream.end();
    await closed;
    const lines = await eventually("every pino line", arriveMs, async () => {
      const found = await linesOf(stack.loki, '{service_name="pino-app"}');
      return found.length === 50 ? found : undefined;
    });
    expect(new Set(lines.map((line) => (JSON.parse(line) as { readonly n: number }).n)).size).toBe(50);
  }, 60_000);

  test("a promtail-style JSON push is answered 204 and found by its labels, its metadata and its nanoseconds", async () => {
    const time = `${BigInt(Date.now()) * 1_000_000n + 123_457n}`;
    const push = {
      streams: [
        { stream: { job: "varlogs", filename: "/var/log/app" }, values: [[time, "promtail line", { pod: "a-1" }]] },
      ],
    };
    const response = await fetch(`${stack.gateway}/loki/api/v1/push`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await stack.token("logs:write", "promtail-app")}`,
        "content-type": "application/json",
        "user-agent": "promtail/3.5.0",
        "content-encoding": "gzip",
      },
      body: Bun.gzipSync(JSON.stringify(push)),
    });
    expect(response.status).toBe(204);
    const read = { authorization: `Bearer ${await stack.token("telemetry:read", "reader")}` };
    const query = new URLSearchParams({ query: '{service_name="promtail-app"} | pod="a-1" | job="varlogs"' });
    const answer = await eventually("the line", arriveMs, async () => {
      const text = JSON.stringify(await getJson(`${stack.gateway}/loki/api/v1/query_range?${query}`, read));
      return text.includes("promtail line") ? text : undefined;
    });
    expect(answer).toContain(time);
  }, 60_000);
});

describe("promtool, with an address and a token file", () => {
  test.each([
    [["instant"], ["vector(41) + 1"], "42"],
    [["range", "--start=1700000000", "--end=1700000060", "--step=30s"], ["vector(7)"], "7 @[1700000060]"],
    [["labels"], ["job"], "prometheus"],
    [["series", "--match=up"], [], "up"],
  ])(
    "query %p works through the gateway",
    async (args, expression, expected) => {
      const engine = engineNamed("prometheus");
      if (engine === undefined) throw new Error("no prometheus in the list of engines");
      const { path } = await provideTool(engine);
      const config = `/tmp/vitrine-promtool-${crypto.randomUUID()}.yml`;
      const credentials = await stack.token("telemetry:read", "promtool");
      await Bun.write(config, `authorization:\n  type: Bearer\n  credentials: ${credentials}\n`);
      const [kind = "", ...flags] = args;
      const command = [path, "query", kind, `--http.config.file=${config}`, ...flags, `${stack.gateway}/prometheus`];
      const answer = await eventually("an answer", arriveMs, async () => {
        const ran = await runCommand([...command, ...expression], { env: {}, timeoutMs: 10_000 });
        if (ran.exitCode !== 0) throw new Error(ran.stderr);
        return ran.stdout.includes(expected) ? ran.stdout : undefined;
      });
      await Bun.file(config).delete();
      expect(answer).toContain(expected);
    },
    stackTimeoutMs,
  );
});
