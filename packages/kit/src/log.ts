import { type Context, context, isSpanContextValid, trace } from "@opentelemetry/api";
import { isSecurityAction, type LogActionName, metrics } from "@vitrine/contracts/telemetry";
import type { LogConfig } from "./config.ts";
import { currentRequest } from "./context.ts";
import { toPlain, toPlainError } from "./log-fields.ts";
import { createSink, type LogEntry, type LogSink } from "./log-sinks.ts";
import { type Lines, openStdout } from "./log-stdout.ts";
import { counter } from "./telemetry/instruments.ts";

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
  readonly destination?: Lines;
}

/**
 * Makes the service's logger. Every line goes to stdout and, by `sink`, to the OpenTelemetry SDK or to `pino-loki`;
 * both get the fields the line is made of, so that what is redacted once is redacted everywhere. Logging never throws.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service } = options;
  const lowest = levels.indexOf(options.level);
  const stdout: Lines =
    options.destination ??
    openStdout((lines) => {
      stdoutDropped.add(lines);
      write("warn", { action: "telemetry.dropped", extra: { lines } }, "lines were dropped: stdout was not read");
    });
  const sink = createSink(service, options);
  const securityEvents = counter(metrics.securityEvents);
  const stdoutDropped = counter(metrics.logStdoutDropped);
  function write(level: LogEntry["level"], fields: LogFields, message: string): void {
    if (levels.indexOf(level) < lowest) return;
    const active = context.active();
    const plain = plainFields(fields, active);
    const timeMs = Date.now();
    const line = `${JSON.stringify({ level, timestamp: new Date(timeMs).toISOString(), service, ...plain, message })}\n`;
    stdout.write(line);
    sink?.write({ level, timeMs, fields: plain, message, context: active, line });
    if (isSecurityAction(fields.action)) securityEvents.add(1, { action: fields.action });
  }
  return {
    debug: (fields, message) => write("debug", fields, message),
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
    fatal: (fields, message) => write("fatal", fields, message),
    flush: () => flush(stdout, sink),
  };
}

const levels: readonly LogConfig["level"][] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** What a line says beside level, time and message, in the order in which it stands there. */
function plainFields({ action, user, duration_ms, err, extra }: LogFields, active: Context): Record<string, unknown> {
  const fields = correlation(active);
  fields["action"] = action;
  if (user !== undefined) fields["user"] = user;
  if (duration_ms !== undefined) fields["duration_ms"] = duration_ms;
  if (err !== undefined) fields["err"] = toPlainError(err);
  if (extra !== undefined) fields["extra"] = toPlain(extra);
  return fields;
}

async function flush(stdout: Lines, sink: LogSink | undefined): Promise<void> {
  await sink?.flush();
  if (stdout.flush === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stdout.flush(() => resolve());
  await promise;
}

/** Auto-instrumentation of pino does nothing on Bun for ES modules; the active span is read here. */
function correlation(active: Context): Record<string, unknown> {
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
