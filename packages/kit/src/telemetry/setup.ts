import { diag, DiagLogLevel } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { envDetector, serviceInstanceIdDetector } from "@opentelemetry/resources";
import { type MetricReader, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { type LogActionName, metrics } from "@vitrine/contracts/telemetry";
import type { Env } from "../config.ts";
import { createTokenSource } from "../tokens/source.ts";
import { metricExporter } from "./metric-exporter.ts";
import { observe } from "./instruments.ts";
import { type Held, logRecordProcessor, spanProcessor } from "./otlp/processors.ts";
import { type DropReason, OtlpSender, type Signal } from "./otlp-sender.ts";
import { Recordings } from "./recordings.ts";
import { type ExportSettings, readExportSettings } from "./settings.ts";

interface Running {
  readonly reader: MetricReader;
  shutdown(): Promise<void>;
}

// The OpenTelemetry API is itself global to the process; what was started is kept beside it.
let running: Running | undefined;

/**
 * Starts the three signals from the standard `OTEL_*` variables: spans, metrics and logs leave as OTLP/HTTP protobuf,
 * and `pg` is instrumented when it is loaded after this call (run it from a preload). Without an endpoint nothing is
 * exported and spans still carry ids. `CLIENT_ID`, `CLIENT_SECRET` (or `_FILE`) and `AUTH_URL` make every export carry
 * a bearer token that is renewed before it expires; without them `OTEL_EXPORTER_OTLP_HEADERS` stands alone.
 */
export function startTelemetry(env: Env): void {
  if (running !== undefined) return;
  const settings = readExportSettings(env);
  if (settings.disabled) return;
  // Without a logger the SDK is silent about spans it drops and batches it cannot encode.
  if (env["OTEL_LOG_LEVEL"] === undefined) diag.setLogger(sdkFaults, DiagLogLevel.WARN);
  const losses = new Losses();
  const token = settings.client === undefined ? undefined : createTokenSource(settings.client);
  const senders = settings.signals.map(({ signal, headers, authenticated, ...target }) => {
    const sender = new OtlpSender({
      ...target,
      signal,
      ...(token === undefined || !authenticated
        ? { headers: async () => headers }
        : {
            headers: async () => ({ ...headers, authorization: `Bearer ${await token.get()}` }),
            onUnauthorized: () => token.forget(),
          }),
      maxBufferBytes: settings.maxBufferBytes,
      onDrop: losses.record,
    });
    return { signal, sender };
  });
  const started = startSdk(settings, new Map(senders.map(({ signal, sender }) => [signal, sender])), losses.record);
  observe(metrics.telemetryDropped, losses.report);
  observe(metrics.telemetryPending, (report) => {
    for (const { signal, sender } of senders) {
      const filling = started.batches.get(signal)?.pendingBytes ?? 0;
      report(sender.pendingBytes + filling, { signal });
    }
  });
  observeProcess();
  running = started;
}

function startSdk(
  settings: ExportSettings,
  senders: ReadonlyMap<Signal, OtlpSender>,
  onDrop: Losses["record"],
): Running & { readonly batches: ReadonlyMap<Signal, Held> } {
  const traces = senders.get("traces");
  const logs = senders.get("logs");
  const metricSender = senders.get("metrics");
  const recordings = new Recordings();
  const reader = new PeriodicExportingMetricReader({
    metricProducers: [recordings],
    exporter: metricSender === undefined ? discard : metricExporter(metricSender),
    exportIntervalMillis: settings.metricIntervalMs,
    // Handing bytes to the sender takes no time; the deadline of a request is the sender's.
    exportTimeoutMillis: settings.metricIntervalMs,
  });
  const spans = traces === undefined ? undefined : spanProcessor({ ...settings.spans, sender: traces, onDrop });
  const records = logs === undefined ? undefined : logRecordProcessor({ ...settings.logRecords, sender: logs, onDrop });
  // Connect spans stay on: without them instrumentation-pg 0.77 hands queries the context of other requests.
  const pg = new PgInstrumentation({ requireParentSpan: true });
  const sdk = new NodeSDK({
    metricReaders: [reader],
    // The SDK's process and host detectors add command lines and, in a container, an empty host.id to every export.
    resourceDetectors: [envDetector, serviceInstanceIdDetector],
    instrumentations: [pg],
    // Given even when empty: without the option the SDK would make exporters of its own from the environment.
    logRecordProcessors: records === undefined ? [] : [records],
    spanProcessors: spans === undefined ? [] : [spans],
  });
  sdk.start();
  pg.setMeterProvider(recordings.start());
  const batches = new Map<Signal, Held>();
  if (spans !== undefined) batches.set("traces", spans);
  if (records !== undefined) batches.set("logs", records);
  return { reader, batches, shutdown: () => sdk.shutdown() };
}

const discard = new (class {
  export(_: unknown, done: (result: { code: number }) => void): void {
    done({ code: 0 });
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
})();

/** Sends what is waiting, within a few seconds, and stops the SDK. Safe to call when it was never started. */
export async function shutdownTelemetry(): Promise<void> {
  const stopping = running;
  running = undefined;
  await stopping?.shutdown();
}

/**
 * The current metrics as Prometheus text, read from the same reader that pushes them: a second reader would make
 * every recording twice as dear.
 */
export async function collectMetricsText(): Promise<string> {
  if (running === undefined) return "# telemetry is off\n";
  const { resourceMetrics, errors } = await running.reader.collect();
  for (const error of errors) diag.error("a metric could not be collected", error);
  return new PrometheusSerializer().serialize(resourceMetrics);
}

/** Counts what the senders give up. Said on stderr: the pipeline for logs may be what is broken. */
class Losses {
  readonly #bytes = new Map<string, { readonly signal: Signal; readonly reason: DropReason; bytes: number }>();

  readonly record = (signal: Signal, reason: DropReason, bytes: number, detail: string): void => {
    const key = `${signal} ${reason}`;
    const loss = this.#bytes.get(key);
    // Once per signal and reason, the counter tells the rest; at shutdown nobody reads the counter any more.
    if (loss === undefined || reason === "shutdown")
      say("telemetry.dropped", `${signal} are being dropped: ${detail}`, { signal, reason, bytes });
    if (loss === undefined) this.#bytes.set(key, { signal, reason, bytes });
    else loss.bytes += bytes;
  };

  readonly report = (report: (value: number, attributes: { signal: Signal; reason: DropReason }) => void): void => {
    for (const { signal, reason, bytes } of this.#bytes.values()) report(bytes, { signal, reason });
  };
}

const sdkFaults = {
  error: (message: string, ...details: unknown[]) => say("telemetry.failed", message, { details: details.map(String) }),
  warn: (message: string, ...details: unknown[]) => say("telemetry.failed", message, { details: details.map(String) }),
  info: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
};

function say(action: LogActionName, message: string, extra: Readonly<Record<string, unknown>>): void {
  const timestamp = new Date().toISOString();
  process.stderr.write(`${JSON.stringify({ level: "warn", timestamp, action, message, extra })}\n`);
}

function observeProcess(): void {
  observe(metrics.processMemoryUsage, (report) => report(process.memoryUsage.rss()));
  observe(metrics.processCpuTime, (report) => {
    const usage = process.cpuUsage();
    report(usage.user / 1e6, { "cpu.mode": "user" });
    report(usage.system / 1e6, { "cpu.mode": "system" });
  });
}
