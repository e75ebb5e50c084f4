import type { OtlpSink, SinkLog, SinkMetric, SinkSpan } from "@vitrine/kit/testing/otlp-sink";

/** The requests sent, each in a trace of its own. */
export interface Sent {
  readonly label: string;
  readonly path: string;
  readonly traceId: string;
}

/** The span every request sent claims to come from. */
export const callerSpanId = "b7ad6b7169203331";

/** All that arrived, as one sentence per fact: two stacks that tell the same have the same sentences. */
export function factsOf(sink: OtlpSink, sent: readonly Sent[]): ReadonlySet<string> {
  const labels = new Map(sent.map(({ label, traceId }) => [traceId, label]));
  const roles = rolesOf(sink.spans, labels);
  const facts = new Set<string>();
  for (const span of sink.spans) for (const fact of spanFacts(span, roles)) add(facts, fact);
  for (const log of sink.logs) for (const fact of logFacts(log, roles)) add(facts, fact);
  for (const metric of sink.metrics.values()) for (const fact of metricFacts(metric)) add(facts, fact);
  const [span] = sink.spans;
  for (const [name, value] of Object.entries(span?.resource ?? {})) add(facts, `resource: ${told(name, value)}`);
  return facts;
}

/** A sentence told twice is told with its number: what arrives twice is not what arrives once. */
function add(facts: Set<string>, fact: string): void {
  let sentence = fact;
  for (let n = 2; facts.has(sentence); n++) sentence = `${fact} (${n})`;
  facts.add(sentence);
}

/** What a span is called here: its request, the first word of its name and its place among those. */
function rolesOf(spans: readonly SinkSpan[], labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  const roles = new Map<string, string>();
  for (const span of spans.toSorted((a, b) => a.startTime - b.startTime)) {
    const part = span.kind === 2 ? "server" : (/^[\w.-]+/.exec(span.name)?.[0] ?? "");
    const role = `${labels.get(span.traceId) ?? "no request"}, ${part}`;
    const n = (counts.get(role) ?? 0) + 1;
    counts.set(role, n);
    roles.set(span.spanId, n === 1 ? role : `${role} ${n}`);
  }
  return roles;
}

function* spanFacts(span: SinkSpan, roles: ReadonlyMap<string, string>): Generator<string> {
  const at = `span (${roles.get(span.spanId) ?? ""})`;
  const parent = span.parentSpanId === callerSpanId ? "the caller" : (roles.get(span.parentSpanId) ?? "none");
  yield `${at}: name = ${span.name}`;
  yield `${at}: scope = ${span.scope}`;
  yield `${at}: kind = ${span.kind}`;
  yield `${at}: parent = ${parent}`;
  yield `${at}: status = ${span.statusCode} ${span.statusMessage}`;
  yield `${at}: flags = ${span.flags}, state = ${span.traceState}, dropped = ${shown(span.dropped)}`;
  for (const [name, value] of Object.entries(span.attributes)) yield `${at}: ${told(name, value)}`;
  for (const { name, attributes } of span.events) yield `${at}: event ${name} ${shown(attributes)}`;
  for (const link of span.links) yield `${at}: link ${shown(link)}`;
}

function* logFacts(log: SinkLog, roles: ReadonlyMap<string, string>): Generator<string> {
  const at = `log (${roles.get(log.spanId) ?? "no span"}, ${shown(log.body)})`;
  yield `${at}: scope = ${log.scope}`;
  yield `${at}: severity = ${log.severityNumber} ${log.severityText}, event = ${log.eventName}`;
  for (const [name, value] of Object.entries(log.attributes)) yield `${at}: ${told(name, value)}`;
}

function* metricFacts(metric: SinkMetric): Generator<string> {
  const at = `metric ${metric.name}`;
  yield `${at}: ${metric.kind}, monotonic = ${metric.monotonic}, temporality = ${metric.temporality}`;
  yield `${at}: scope = ${metric.scope}`;
  yield `${at}: unit = ${metric.unit}`;
  yield `${at}: description = ${metric.description}`;
  // How long something took is no property of a stack; how often it was measured, and with which bounds, is.
  const measured = /\.duration$|^process\.|^telemetry\./.test(metric.name);
  for (const point of metric.points) {
    const series = `${at} ${shown(point.attributes)}`;
    if (metric.kind === "histogram") {
      yield `${series}: count = ${point.count}`;
      yield `${series}: bounds = ${shown(point.bounds)}`;
      const inBuckets = point.buckets.reduce((sum, count) => sum + count, 0);
      yield measured ? `${series}: in buckets = ${inBuckets}` : `${series}: buckets = ${shown(point.buckets)}`;
    }
    if (!measured) yield `${series}: value = ${point.value}`;
  }
}

/** Values that are of one process and one moment; that they are told is a fact all the same. */
const ofTheMoment = /^(?:duration_ms|request[._]id|service\.instance\.id|exception\.stacktrace|process\..*)$/;

function told(name: string, value: unknown): string {
  return `${name} = ${ofTheMoment.test(name) ? "*" : shown(value)}`;
}

/** The same text for the same value, whatever its order; ports and stack traces are those of a process. */
function shown(value: unknown): string {
  return JSON.stringify(sorted(value))
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "http://127.0.0.1:*")
    .replaceAll(/("exception\.stacktrace":"[^"\\]*)(?:[^"\\]|\\.)*"/g, '$1"');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
