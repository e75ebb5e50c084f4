import { ServiceError } from "@vitrine/kit/errors";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface LogRecord {
  /** A string, as in the push: a JavaScript number cannot hold nanoseconds. */
  readonly timeUnixNano: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly Attribute[];
  readonly severityText?: string;
  readonly severityNumber?: number;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** OTLP logs in their JSON encoding. */
export interface OtlpLogs {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

/** Loki's spelling of attributes that have a name of their own in OpenTelemetry; other labels keep theirs. */
const semanticNames: Readonly<Record<string, string>> = {
  service_name: "service.name",
  service_namespace: "service.namespace",
  service_version: "service.version",
  service_instance_id: "service.instance.id",
  deployment_environment: "deployment.environment.name",
  deployment_environment_name: "deployment.environment.name",
};

const severities: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  warning: 13,
  error: 17,
  fatal: 21,
  critical: 21,
};

/**
 * Streams, entries, labels and metadata of one push, all together, and labels or metadata of one of them: each costs far
 * more time and memory than its bytes.
 */
export const maxParts = 200_000;
const maxPairs = 256;

/**
 * Turns a push of Loki's JSON API into OTLP logs: a stream becomes a resource whose attributes are its labels, an
 * entry a record with its time to the nanosecond, structured metadata the record's attributes. A level, a trace id and
 * a span id go where OTLP keeps them.
 *
 * @throws ServiceError `invalid_request` naming the first place that is wrong, `payload_too_large` past
 * {@link maxParts}
 */
export function toOtlpLogs(push: unknown): OtlpLogs {
  const streams = isRecord(push) ? push["streams"] : undefined;
  if (!Array.isArray(streams) || streams.length === 0) throw invalid("streams", "must be a list with a stream in it");
  const parts = new PartCounter();
  return { resourceLogs: streams.map((stream, at) => toResourceLogs(stream, `streams[${at}]`, parts)) };
}

function toResourceLogs(stream: unknown, place: string, parts: PartCounter): OtlpLogs["resourceLogs"][number] {
  if (!isRecord(stream)) throw invalid(place, "must be an object");
  const labels = toStrings(stream["stream"], `${place}.stream`, parts);
  const { values } = stream;
  if (!Array.isArray(values)) throw invalid(`${place}.values`, "must be a list");
  parts.add(1 + values.length);
  const level = labels["level"];
  return {
    resource: { attributes: toAttributes(labels, semanticNames) },
    scopeLogs: [{ logRecords: values.map((entry, at) => toRecord(entry, level, `${place}.values[${at}]`, parts)) }],
  };
}

const timestampForm = /^[0-9]{1,19}$/;
/** The last nanosecond Loki and Go have, in the year 2262. */
const lastNanosecond = "9223372036854775807";
const traceIdForm = /^(?!0{32})[0-9a-f]{32}$/i;
const spanIdForm = /^(?!0{16})[0-9a-f]{16}$/i;

function toRecord(entry: unknown, levelOfStream: string | undefined, place: string, parts: PartCounter): LogRecord {
  if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3) {
    throw invalid(place, "must be [time, line] or [time, line, metadata]");
  }
  const [time, line, metadata] = entry as readonly unknown[];
  if (typeof time !== "string" || !timestampForm.test(time) || time.padStart(19, "0") > lastNanosecond)
    throw invalid(place, "the time must be nanoseconds in a string");
  if (typeof line !== "string") throw invalid(place, "the line must be a string");
  const {
    trace_id: traceId,
    span_id: spanId,
    ...rest
  } = metadata === undefined ? {} : toStrings(metadata, `${place}[2]`, parts);
  const level = rest["level"] ?? rest["detected_level"] ?? levelOfStream;
  const severity = level === undefined ? undefined : severities[level.toLowerCase()];
  const traced = traceId !== undefined && traceIdForm.test(traceId);
  const spanned = spanId !== undefined && spanIdForm.test(spanId);
  // An id of another form is kept for what it is: text.
  if (traceId !== undefined && !traced) rest["trace_id"] = traceId;
  if (spanId !== undefined && !spanned) rest["span_id"] = spanId;
  return {
    timeUnixNano: time,
    body: { stringValue: line },
    attributes: toAttributes(rest),
    ...(level === undefined ? {} : { severityText: level }),
    ...(severity === undefined ? {} : { severityNumber: severity }),
    ...(traced ? { traceId } : {}),
    ...(spanned ? { spanId } : {}),
  };
}

function toAttributes(
  values: Readonly<Record<string, string>>,
  names: Readonly<Record<string, string>> = {},
): Attribute[] {
  return Object.entries(values).map(([key, stringValue]) => ({
    key: Object.hasOwn(names, key) ? (names[key] ?? key) : key,
    value: { stringValue },
  }));
}

function toStrings(value: unknown, place: string, parts: PartCounter): Record<string, string> {
  if (!isRecord(value)) throw invalid(place, "must be an object");
  const strings: Record<string, string> = Object.create(null) as Record<string, string>;
  let pairs = 0;
  for (const key in value) {
    if ((pairs += 1) > maxPairs) throw invalid(place, `must not have more than ${maxPairs} members`);
    const text = value[key];
    if (typeof text !== "string") throw invalid(`${place}.${key}`, "must be a string");
    strings[key] = text;
  }
  parts.add(pairs);
  return strings;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Counts the parts of one push. @throws ServiceError `payload_too_large` past {@link maxParts} */
export class PartCounter {
  #count = 0;

  add(parts: number): void {
    this.#count += parts;
    if (this.#count > maxParts) throw tooMany();
  }
}

export function tooMany(): ServiceError {
  return new ServiceError("payload_too_large", "the push is too large: send fewer entries at a time", {
    reason: "too_large",
  });
}

function invalid(place: string, rule: string): ServiceError {
  const printable = place.slice(0, 120).replaceAll(/[^\x20-\x7e]+/g, "?");
  return new ServiceError("invalid_request", `${printable}: ${rule}`, { reason: "bad_encoding" });
}
