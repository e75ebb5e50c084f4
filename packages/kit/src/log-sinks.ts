import { once } from "node:events";
import { type Context, logs, SeverityNumber } from "@opentelemetry/api";
import { LokiLogLevel, pinoLoki } from "pino-loki";
import type { LogConfig } from "./config.ts";
import type { PlainError } from "./log-fields.ts";

/** A line that was written, and what it was made of: redacted, bounded, free of what JSON cannot hold. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
  /** Where it was logged; its span is that of the record. */
  readonly context: Context;
  /** As it stands on stdout. */
  readonly line: string;
}

/** Where a written line goes beside stdout. */
export interface LogSink {
  write(entry: LogEntry): void;
  /** Resolves when what was written has been sent, or given up. */
  flush(): Promise<void>;
}

export function createSink(service: string, config: Pick<LogConfig, "sink" | "loki">): LogSink | undefined {
  switch (config.sink) {
    case "otlp":
      // The SDK flushes its records itself.
      return { write: recordWriter(), flush: async () => undefined };
    case "loki":
      return config.loki === undefined ? undefined : createLokiSink(service, config.loki);
    case "none":
      return undefined;
  }
}

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
} as const;

/** The ids are the record's own, set by the SDK from the context; the other two are spread over several attributes. */
const notAttributes = new Set(["trace_id", "span_id", "err", "extra"]);

function recordWriter(): LogSink["write"] {
  const logger = logs.getLogger("@vitrine/kit");
  return ({ level, timeMs, fields, message, context }) => {
    const attributes: Record<string, string | number | boolean> = {};
    for (const name in fields) if (!notAttributes.has(name)) addAttribute(attributes, name, fields[name]);
    const { extra, err } = fields as { readonly extra?: unknown; readonly err?: PlainError };
    if (typeof extra === "object" && extra !== null)
      for (const name of Object.keys(extra))
        addAttribute(attributes, extraName(name), (extra as Readonly<Record<string, unknown>>)[name]);
    if (err !== undefined) {
      attributes["exception.type"] = err.type;
      attributes["exception.message"] = err.message;
      attributes["exception.stacktrace"] = err.stack;
    }
    logger.emit({
      context,
      timestamp: timeMs,
      severityText: level,
      severityNumber: severities[level],
      body: message,
      attributes,
    });
  };
}

/** Joined once per name: an attribute by a text that was just made costs several times as much. */
const extraNames = new Map<string, string>();
const maxExtraNames = 1_000;

function extraName(name: string): string {
  const known = extraNames.get(name);
  if (known !== undefined) return known;
  const joined = `extra.${name}`;
  if (extraNames.size < maxExtraNames) extraNames.set(name, joined);
  return joined;
}

function addAttribute(attributes: Record<string, string | number | boolean>, name: string, value: unknown): void {
  switch (typeof value) {
    case "number":
      // JSON has no word for the others: the line says null, which is no attribute.
      if (Number.isFinite(value)) attributes[name] = value;
      return;
    case "string":
    case "boolean":
      attributes[name] = value;
      return;
    case "object":
      if (value !== null) attributes[name] = JSON.stringify(value);
      return;
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      return;
  }
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
    write: ({ line, timeMs }) => {
      stream ??= open();
      // pino-loki takes the time of the entry, in milliseconds, from `time`; without it, it would be that of the push.
      stream.write(`{"time":${timeMs},${line.slice(1)}`);
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
