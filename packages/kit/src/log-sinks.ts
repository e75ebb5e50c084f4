import { once } from "node:events";
import { logs, SeverityNumber } from "@opentelemetry/api";
import { LokiLogLevel, pinoLoki } from "pino-loki";
import type { LogConfig } from "./config.ts";

/** Where a written line goes beside stdout. */
export interface LogSink {
  write(line: string): void;
  /** Resolves when what was written has been sent, or given up. */
  flush(): Promise<void>;
}

export function createSink(service: string, config: Pick<LogConfig, "sink" | "loki">): LogSink | undefined {
  switch (config.sink) {
    case "otlp":
      // The SDK flushes its records itself.
      return { write: emitRecord, flush: async () => undefined };
    case "loki":
      return config.loki === undefined ? undefined : createLokiSink(service, config.loki);
    case "none":
      return undefined;
  }
}

const severities: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

interface Line {
  readonly level: string;
  readonly timestamp: string;
  readonly message?: string;
  readonly err?: {
    readonly type?: string;
    readonly message?: string;
    readonly stack?: string;
  };
  readonly [field: string]: unknown;
}

/** `service` is the resource's and the ids are the record's own, set by the SDK from the active context. */
const fieldsOfTheRecord = new Set(["level", "timestamp", "message", "service", "trace_id", "span_id", "err", "extra"]);

function emitRecord(text: string): void {
  const line = JSON.parse(text) as Line;
  const attributes: Record<string, string | number | boolean> = {};
  const add = (name: string, value: unknown) => {
    if (value !== null && value !== undefined) attributes[name] = toAttribute(value);
  };
  for (const [name, value] of Object.entries(line)) if (!fieldsOfTheRecord.has(name)) add(name, value);
  const extra = line["extra"];
  if (typeof extra === "object" && extra !== null) {
    for (const [name, value] of Object.entries(extra)) add(`extra.${name}`, value);
  }
  if (line.err !== undefined) {
    attributes["exception.type"] = line.err.type ?? "Error";
    attributes["exception.message"] = line.err.message ?? "";
    attributes["exception.stacktrace"] = line.err.stack ?? "";
  }
  logs.getLogger("@vitrine/kit").emit({
    timestamp: new Date(line.timestamp),
    severityText: line.level,
    severityNumber: severities[line.level] ?? SeverityNumber.UNSPECIFIED,
    body: line.message ?? "",
    attributes,
  });
}

function toAttribute(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return JSON.stringify(value) ?? "";
}

const lokiLevels = {
  trace: LokiLogLevel.Debug,
  debug: LokiLogLevel.Debug,
  info: LokiLogLevel.Info,
  warn: LokiLogLevel.Warning,
  error: LokiLogLevel.Error,
  fatal: LokiLogLevel.Critical,
};

/** By `pino-loki`, in this process. It batches for a second and does not retry: the SDK is the sink that loses nothing. */
function createLokiSink(service: string, loki: NonNullable<LogConfig["loki"]>): LogSink {
  const open = () =>
    pinoLoki({
      host: loki.url,
      labels: { service_name: service },
      headers: { authorization: `Bearer ${loki.token}` },
      batching: { interval: 1 },
      levelMap: lokiLevels,
      logFormat: ({ time: _time, lokilevel: _level, ...line }) => JSON.stringify(line),
    });
  let stream: ReturnType<typeof open> | undefined;
  return {
    write: (line) => {
      stream ??= open();
      // pino-loki takes the time of the entry, in milliseconds, from `time`; without it, it would be that of the push.
      const { timestamp } = JSON.parse(line) as Line;
      stream.write(`{"time":${Date.parse(timestamp)},${line.slice(1)}`);
    },
    flush: async () => {
      // Ending it is the only way to have it send what it holds, and to stop its timer.
      const ending = stream;
      stream = undefined;
      if (ending === undefined) return;
      const closed = once(ending, "close");
      ending.end();
      await closed;
    },
  };
}
