import { context, isSpanContextValid, logs, SeverityNumber, trace } from "@opentelemetry/api";
import type { LogActionName } from "@vitrine/contracts/telemetry";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { pinoLoki } from "pino-loki";
import type { LogConfig } from "./config.ts";
import { currentRequest } from "./context.ts";

/** Fields a line may carry beside its message; `request_id`, `trace_id` and `span_id` are added by the logger. */
export interface LogFields {
  readonly action: LogActionName;
  readonly user?: string | undefined;
  readonly duration_ms?: number;
  readonly err?: unknown;
  readonly extra?: Readonly<Record<string, unknown>>;
}

type LogMethod = (fields: LogFields, message: string) => void;

/** Structured logger: one JSON line per event, each with a known `action`. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** Resolves when every line written so far has left the process's buffers. */
  flush(): Promise<void>;
}

export interface LoggerOptions extends LogConfig {
  readonly service: string;
  /** Where lines are written; stdout unless a test passes its own. */
  readonly destination?: DestinationStream;
}

/** Keys whose values never reach a line, wherever they are nested up to three deep. */
const secretKeys = [
  "authorization",
  "cookie",
  "password",
  "secret",
  "token",
  "access_token",
  "refresh_token",
  "client_secret",
  "clientSecret",
  "accessToken",
  "refreshToken",
  "apiKey",
  "otp",
];

const redactedPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]);

/**
 * Makes the service's logger. Every line goes to stdout and, by `sink`, to the OpenTelemetry SDK or to `pino-loki`;
 * both read the line that was written, so that what is redacted once is redacted everywhere.
 */
export function createLogger(options: LoggerOptions): Logger {
  const stdout = options.destination ?? pino.destination({ dest: 1, sync: false });
  const forward = forwarder(options);
  const stream: DestinationStream = {
    write(line: string) {
      stdout.write(line);
      forward?.(line);
    },
  };
  const logger = pino(
    {
      level: options.level,
      base: { service: options.service },
      messageKey: "message",
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: "[redacted]" },
      mixin: correlation,
    },
    stream,
  );
  return toLogger(logger, stdout);
}

function toLogger(logger: PinoLogger, stdout: DestinationStream): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    fatal: (fields, message) => logger.fatal(fields, message),
    flush: () =>
      new Promise((resolve) => {
        if ("flush" in stdout && typeof stdout.flush === "function") stdout.flush(() => resolve());
        else resolve();
      }),
  };
}

/** Auto-instrumentation of pino does nothing on Bun for ES modules; a mixin reads the active span itself. */
function correlation(): Record<string, unknown> {
  const active = context.active();
  const fields: Record<string, unknown> = {};
  const request = currentRequest(active);
  if (request !== undefined) {
    fields["request_id"] = request.requestId;
    if (request.user !== undefined) fields["user"] = request.user;
  }
  const span = trace.getSpan(active)?.spanContext();
  if (span !== undefined && isSpanContextValid(span)) {
    fields["trace_id"] = span.traceId;
    fields["span_id"] = span.spanId;
  }
  return fields;
}

function forwarder(options: LoggerOptions): ((line: string) => void) | undefined {
  switch (options.sink) {
    case "otlp":
      return emitRecord;
    case "loki":
      return options.loki === undefined ? undefined : lokiForwarder(options.service, options.loki);
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
  for (const [name, value] of Object.entries(line)) {
    if (!fieldsOfTheRecord.has(name)) attributes[name] = toAttribute(value);
  }
  const extra = line["extra"];
  if (typeof extra === "object" && extra !== null) {
    for (const [name, value] of Object.entries(extra)) attributes[`extra.${name}`] = toAttribute(value);
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

function lokiForwarder(
  service: string,
  loki: { readonly url: string; readonly token: string },
): (line: string) => void {
  const stream = pinoLoki({
    host: loki.url,
    labels: { service_name: service },
    headers: { authorization: `Bearer ${loki.token}` },
    batching: { interval: 1 },
    levelMap: {},
  });
  return (line) => void stream.write(line);
}
