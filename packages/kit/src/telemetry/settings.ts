import { z } from "zod";
import { ConfigError, type Env, flag, integer, oneOf, optionalSecret, parseEnv, text, url } from "../config.ts";
import type { TokenSourceOptions } from "../tokens/source.ts";
import type { Signal } from "./otlp-sender.ts";

export interface ExportSettings {
  /** `OTEL_SDK_DISABLED`: no telemetry at all, instrumentation included. */
  readonly disabled: boolean;
  /** Empty when no endpoint is set: then nothing leaves the process. */
  readonly signals: readonly {
    readonly signal: Signal;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    /** True when the requests carry the token of {@link client}. */
    readonly authenticated: boolean;
    readonly compression: "gzip" | "none";
    readonly timeoutMs: number;
  }[];
  readonly client: TokenSourceOptions | undefined;
  readonly maxBufferBytes: number;
  readonly metricIntervalMs: number;
  readonly spans: BatchSettings;
  readonly logRecords: BatchSettings;
}

export interface BatchSettings {
  readonly delayMs: number;
  readonly maxItems: number;
  readonly maxWaiting: number;
}

/** `key1=value1,key2=value2` with percent-encoded values (OpenTelemetry protocol exporter, "Specifying headers"). */
function headerList() {
  return z
    .string()
    .transform((value, context): Readonly<Record<string, string>> => {
      const headers = new Headers();
      try {
        for (const pair of value.split(",").filter((part) => part.trim() !== "")) {
          const at = pair.indexOf("=");
          headers.set(pair.slice(0, Math.max(at, 0)).trim(), decodeURIComponent(pair.slice(at + 1).trim()));
        }
        return Object.fromEntries(headers);
      } catch {
        // The error of the platform would quote the value, which may be a token.
        context.addIssue({ code: "custom", message: "must be name=value pairs with percent-encoded values" });
        return z.NEVER;
      }
    })
    .default({});
}

const exporter = () => oneOf(["otlp", "none"], "otlp");
const compression = () => z.enum(["gzip", "none"], { error: "must be one of gzip, none" }).optional();
const timeout = () => integer({ min: 100, max: 120_000 }).optional();

const shape = {
  OTEL_SDK_DISABLED: flag(false),
  OTEL_TRACES_EXPORTER: exporter(),
  OTEL_METRICS_EXPORTER: exporter(),
  OTEL_LOGS_EXPORTER: exporter(),
  // What is not to be had is a fault, not a wish that is passed over.
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf(["http/protobuf"], "http/protobuf"),
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: oneOf(["cumulative"], "cumulative"),
  OTEL_EXPORTER_OTLP_ENDPOINT: url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url().optional(),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url().optional(),
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: url().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headerList(),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headerList(),
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: headerList(),
  OTEL_EXPORTER_OTLP_LOGS_HEADERS: headerList(),
  OTEL_EXPORTER_OTLP_COMPRESSION: oneOf(["gzip", "none"], "none"),
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: compression(),
  OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: compression(),
  OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: compression(),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer({ min: 100, max: 120_000, fallback: 10_000 }),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: timeout(),
  OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: timeout(),
  OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: timeout(),
  OTEL_METRIC_EXPORT_INTERVAL: integer({
    min: 100,
    max: 600_000,
    fallback: 3_000,
  }),
  // Spans are to be seen within a second or two, not the five of the specification.
  OTEL_BSP_SCHEDULE_DELAY: integer({ min: 10, max: 600_000, fallback: 1_000 }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer({ min: 1, max: 65_536, fallback: 512 }),
  OTEL_BSP_MAX_QUEUE_SIZE: integer({ min: 1, max: 1_048_576, fallback: 8_192 }),
  OTEL_BLRP_SCHEDULE_DELAY: integer({ min: 10, max: 600_000, fallback: 500 }),
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: integer({ min: 1, max: 65_536, fallback: 512 }),
  OTEL_BLRP_MAX_QUEUE_SIZE: integer({ min: 1, max: 1_048_576, fallback: 8_192 }),
  TELEMETRY_BUFFER_BYTES: integer({
    min: 65_536,
    max: 1_073_741_824,
    fallback: 8_388_608,
  }),
  AUTH_URL: url("http://127.0.0.1:8081"),
  CLIENT_ID: text().optional(),
  CLIENT_SECRET: optionalSecret(),
};

const signals = [
  ["traces", "TRACES"],
  ["metrics", "METRICS"],
  ["logs", "LOGS"],
] as const satisfies readonly (readonly [Signal, string])[];

/** Reads the standard `OTEL_*` exporter variables and the service's OAuth client. @throws ConfigError */
export function readExportSettings(env: Env): ExportSettings {
  const values = parseEnv(env, shape);
  const base = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const exports = signals.flatMap(([signal, name]) => {
    const own = values[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`];
    const address = own ?? (base === undefined ? undefined : `${base.replace(/\/$/, "")}/v1/${signal}`);
    if (address === undefined || values[`OTEL_${name}_EXPORTER`] === "none") return [];
    const headers = { ...values.OTEL_EXPORTER_OTLP_HEADERS, ...values[`OTEL_EXPORTER_OTLP_${name}_HEADERS`] };
    // Static headers that already name a client or carry a token are the user's own choice and win.
    const identified = "authorization" in headers || "x-client-id" in headers;
    return [
      {
        signal,
        url: address,
        headers,
        authenticated: values.CLIENT_ID !== undefined && !identified,
        compression: values[`OTEL_EXPORTER_OTLP_${name}_COMPRESSION`] ?? values.OTEL_EXPORTER_OTLP_COMPRESSION,
        timeoutMs: values[`OTEL_EXPORTER_OTLP_${name}_TIMEOUT`] ?? values.OTEL_EXPORTER_OTLP_TIMEOUT,
      },
    ];
  });
  return {
    disabled: values.OTEL_SDK_DISABLED,
    signals: exports,
    client: exports.some(({ authenticated }) => authenticated) ? toClient(values) : undefined,
    maxBufferBytes: values.TELEMETRY_BUFFER_BYTES,
    metricIntervalMs: values.OTEL_METRIC_EXPORT_INTERVAL,
    spans: {
      delayMs: values.OTEL_BSP_SCHEDULE_DELAY,
      maxItems: values.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
      maxWaiting: values.OTEL_BSP_MAX_QUEUE_SIZE,
    },
    logRecords: {
      delayMs: values.OTEL_BLRP_SCHEDULE_DELAY,
      maxItems: values.OTEL_BLRP_MAX_EXPORT_BATCH_SIZE,
      maxWaiting: values.OTEL_BLRP_MAX_QUEUE_SIZE,
    },
  };
}

function toClient(values: {
  readonly AUTH_URL: string;
  readonly CLIENT_ID: string | undefined;
  readonly CLIENT_SECRET: string | undefined;
}): TokenSourceOptions | undefined {
  if (values.CLIENT_ID === undefined) return undefined;
  if (values.CLIENT_SECRET === undefined) throw new ConfigError(["CLIENT_SECRET: is not set, and CLIENT_ID needs it"]);
  return {
    tokenUrl: new URL("/oauth/token", values.AUTH_URL).href,
    clientId: values.CLIENT_ID,
    clientSecret: values.CLIENT_SECRET,
    scopes: ["telemetry:write"],
  };
}
