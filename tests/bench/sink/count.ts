import { wireFields } from "./wire.ts";

export type Counts = Record<"serverSpans" | "sqlSpans" | "accessLogs" | "requestDurations", number>;

export function noCounts(): Counts {
  return { serverSpans: 0, sqlSpans: 0, accessLogs: 0, requestDurations: 0 };
}

/** SPAN_KIND_SERVER of opentelemetry/proto/trace/v1. */
const serverKind = 2;
const accessLine = /^(?:GET|POST|PUT|DELETE|PATCH) /;
const text = new TextDecoder();

/** Adds what one OTLP request body (`/v1/<signal>`) holds; metrics are cumulative, so their newest total stands. */
export function countInto(counts: Counts, signal: string, body: Uint8Array): void {
  // Resource, scope and item: field 1, 2 and 2 of their parents in all three signals.
  for (const resource of all(body, 1)) {
    for (const scope of all(resource, 2)) {
      for (const item of all(scope, 2)) countItem(counts, signal, item);
    }
  }
}

function countItem(counts: Counts, signal: string, item: Uint8Array): void {
  if (signal === "traces") countSpan(counts, item);
  if (signal === "logs" && accessLine.test(bodyOf(item))) counts.accessLogs += 1;
  if (signal === "metrics") countMetric(counts, item);
}

/** Span: name 5, kind 6. */
function countSpan(counts: Counts, span: Uint8Array): void {
  for (const { number, value, bytes } of wireFields(span)) {
    if (number === 6 && value === serverKind) counts.serverSpans += 1;
    // instrumentation-pg names statements so, and connects otherwise.
    if (number === 5 && text.decode(bytes).startsWith("pg.query")) counts.sqlSpans += 1;
  }
}

/** LogRecord: body 5, an AnyValue whose field 1 is a string. */
function bodyOf(record: Uint8Array): string {
  const [body] = all(record, 5);
  const [value] = body === undefined ? [] : all(body, 1);
  return text.decode(value);
}

/** Metric: name 1, histogram 9; its data points are field 1, their count fixed64 field 4. */
function countMetric(counts: Counts, metric: Uint8Array): void {
  const [name] = all(metric, 1);
  if (text.decode(name) !== "http.server.request.duration") return;
  let total = 0;
  for (const histogram of all(metric, 9)) {
    for (const point of all(histogram, 1)) {
      for (const { number, value } of wireFields(point)) if (number === 4) total += value;
    }
  }
  counts.requestDurations = total;
}

function all(message: Uint8Array, wanted: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const { number, bytes } of wireFields(message)) if (number === wanted) found.push(bytes);
  return found;
}
