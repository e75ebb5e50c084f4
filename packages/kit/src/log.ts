import { context, isSpanContextValid, trace } from "@opentelemetry/api";
import type { LogActionName } from "@vitrine/contracts/telemetry";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import type { LogConfig } from "./config.ts";
import { currentRequest } from "./context.ts";
import { toPlain, toPlainError } from "./log-fields.ts";
import { createSink, type LogSink } from "./log-sinks.ts";

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

/**
 * Makes the service's logger. Every line goes to stdout and, by `sink`, to the OpenTelemetry SDK or to `pino-loki`;
 * both read the line that was written, so that what is redacted once is redacted everywhere. Logging never throws.
 */
export function createLogger(options: LoggerOptions): Logger {
  const stdout = options.destination ?? pino.destination({ dest: 1, sync: false });
  const sink = createSink(options.service, options);
  const stream: DestinationStream = {
    write(line: string) {
      stdout.write(line);
      sink?.write(line);
    },
  };
  const logger = pino(
    {
      level: options.level,
      base: { service: options.service },
      messageKey: "message",
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are made plain before they get here; pino's own serialiser would write every property of theirs.
      serializers: { err: (err: unknown) => err },
      mixin: correlation,
    },
    stream,
  );
  return {
    debug: method(logger, "debug"),
    info: method(logger, "info"),
    warn: method(logger, "warn"),
    error: method(logger, "error"),
    fatal: method(logger, "fatal"),
    flush: () => flush(stdout, sink),
  };
}

function method(logger: PinoLogger, level: keyof Omit<Logger, "flush">): LogMethod {
  return ({ action, user, duration_ms, err, extra }, message) => {
    if (!logger.isLevelEnabled(level)) return;
    const fields = {
      action,
      ...(user === undefined ? {} : { user }),
      ...(duration_ms === undefined ? {} : { duration_ms }),
      ...(err === undefined ? {} : { err: toPlainError(err) }),
      ...(extra === undefined ? {} : { extra: toPlain(extra) }),
    };
    logger[level](fields, message);
  };
}

async function flush(stdout: DestinationStream, sink: LogSink | undefined): Promise<void> {
  await sink?.flush();
  if (!("flush" in stdout) || typeof stdout.flush !== "function") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stdout.flush(() => resolve());
  await promise;
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
