import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import protobuf from "protobufjs";

type Attributes = Readonly<Record<string, unknown>>;

export interface SinkEvent {
  readonly name: string;
  readonly attributes: Attributes;
}

export interface SinkLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
}

export interface SinkSpan {
  readonly service: string;
  readonly resource: Attributes;
  readonly scope: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  /** `SpanFlags` of the protocol. */
  readonly flags: number;
  /** Nanoseconds since the epoch, as far as a number holds them. */
  readonly startTime: number;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: Attributes;
  readonly events: readonly SinkEvent[];
  readonly links: readonly SinkLink[];
  /** How much its limits kept out. */
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
}

export interface SinkLog {
  readonly service: string;
  readonly scope: string;
  readonly body: unknown;
  readonly eventName: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

export interface SinkMetric {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: "gauge" | "sum" | "histogram";
  readonly monotonic: boolean;
  /** `AggregationTemporality` of the protocol: 1 delta, 2 cumulative, 0 of a gauge. */
  readonly temporality: number;
  readonly points: readonly {
    readonly attributes: Attributes;
    readonly value: number;
    readonly count: number;
    /** Of a histogram: its bounds, and how many were recorded in each bucket. */
    readonly bounds: readonly number[];
    readonly buckets: readonly number[];
  }[];
}

export interface OtlpSink {
  readonly url: string;
  readonly spans: SinkSpan[];
  readonly logs: SinkLog[];
  /** The newest export of every metric, by service and name. */
  readonly metrics: Map<string, SinkMetric>;
  readonly requests: { readonly path: string; readonly headers: Headers }[];
  /** Answers every request by this until it is unset; nothing is kept then, but for what it hands to {@link keep}. */
  answer: ((request: Request) => Response | Promise<Response>) | undefined;
  keep(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>> & {
    readonly arrayValue?: { readonly values?: readonly Readonly<Record<string, unknown>>[] };
    readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
  };
}

interface Resource {
  readonly attributes?: readonly KeyValue[];
}

/** A real HTTP endpoint that decodes the OTLP protobuf it is sent, for tests that ask what arrived. */
export async function startOtlpSink(): Promise<OtlpSink> {
  const root = protobuf.parse(await Bun.file(join(import.meta.dir, "otlp.proto")).text()).root;
  const decode = (type: string, bytes: Uint8Array): Readonly<Record<string, unknown>> => {
    const message = root.lookupType(type);
    return message.toObject(message.decode(bytes), { longs: Number, bytes: String });
  };
  const sink: Omit<OtlpSink, "url" | "stop" | "keep"> = {
    spans: [],
    logs: [],
    metrics: new Map(),
    requests: [],
    answer: undefined,
  };
  const keep = async (request: Request) => {
    const path = new URL(request.url).pathname;
    const raw = new Uint8Array(await request.arrayBuffer());
    const bytes = request.headers.get("content-encoding") === "gzip" ? new Uint8Array(gunzipSync(raw)) : raw;
    if (path === "/v1/traces") keepSpans(sink.spans, decode("Traces", bytes));
    if (path === "/v1/logs") keepLogs(sink.logs, decode("Logs", bytes));
    if (path === "/v1/metrics") keepMetrics(sink.metrics, decode("Metrics", bytes));
    return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      sink.requests.push({ path: new URL(request.url).pathname, headers: request.headers });
      return (sink.answer ?? keep)(request);
    },
  });
  return Object.assign(sink, { keep, url: server.url.origin, stop: () => server.stop(true) });
}

function keepSpans(spans: SinkSpan[], data: Readonly<Record<string, unknown>>): void {
  for (const { resource, scope, item } of flatten(data, "resourceSpans", "scopeSpans", "spans")) {
    const status = item["status"] as { readonly code?: number; readonly message?: string } | undefined;
    spans.push({
      service: serviceOf(resource),
      resource: toRecord(resource?.attributes),
      scope,
      name: String(item["name"]),
      kind: Number(item["kind"] ?? 0),
      traceId: hex(item["traceId"]),
      spanId: hex(item["spanId"]),
      parentSpanId: hex(item["parentSpanId"]),
      traceState: textOf(item["traceState"]),
      flags: Number(item["flags"] ?? 0),
      startTime: Number(item["startTimeUnixNano"] ?? 0),
      statusCode: status?.code ?? 0,
      statusMessage: status?.message ?? "",
      attributes: attributesOf(item),
      events: itemsOf(item["events"]).map((one) => ({ name: textOf(one["name"]), attributes: attributesOf(one) })),
      links: itemsOf(item["links"]).map((link) => ({
        traceId: hex(link["traceId"]),
        spanId: hex(link["spanId"]),
        traceState: textOf(link["traceState"]),
        attributes: attributesOf(link),
      })),
      dropped: {
        attributes: Number(item["droppedAttributesCount"] ?? 0),
        events: Number(item["droppedEventsCount"] ?? 0),
        links: Number(item["droppedLinksCount"] ?? 0),
      },
    });
  }
}

function keepLogs(logs: SinkLog[], data: Readonly<Record<string, unknown>>): void {
  for (const { resource, scope, item } of flatten(data, "resourceLogs", "scopeLogs", "logRecords")) {
    logs.push({
      service: serviceOf(resource),
      scope,
      body: valueOf(item["body"] as KeyValue["value"]),
      eventName: textOf(item["eventName"]),
      severityNumber: Number(item["severityNumber"] ?? 0),
      severityText: textOf(item["severityText"]),
      traceId: hex(item["traceId"]),
      spanId: hex(item["spanId"]),
      attributes: attributesOf(item),
    });
  }
}

function keepMetrics(metrics: Map<string, SinkMetric>, data: Readonly<Record<string, unknown>>): void {
  for (const { resource, scope, item } of flatten(data, "resourceMetrics", "scopeMetrics", "metrics")) {
    const service = serviceOf(resource);
    const kind = (["gauge", "sum", "histogram"] as const).find((candidate) => item[candidate] !== undefined);
    const series = (kind === undefined ? {} : item[kind]) as Attributes;
    const name = String(item["name"]);
    metrics.set(`${service} ${name}`, {
      service,
      scope,
      name,
      description: textOf(item["description"]),
      unit: textOf(item["unit"]),
      kind: kind ?? "gauge",
      monotonic: series["isMonotonic"] === true,
      temporality: Number(series["aggregationTemporality"] ?? 0),
      points: itemsOf(series["dataPoints"]).map((point) => ({
        attributes: attributesOf(point),
        value: Number(point["asDouble"] ?? point["asInt"] ?? point["sum"] ?? 0),
        count: Number(point["count"] ?? 0),
        bounds: (point["explicitBounds"] ?? []) as readonly number[],
        buckets: (point["bucketCounts"] ?? []) as readonly number[],
      })),
    });
  }
}

function* flatten(data: Readonly<Record<string, unknown>>, groups: string, scopes: string, items: string) {
  for (const group of (data[groups] ?? []) as readonly Readonly<Record<string, unknown>>[]) {
    for (const inner of (group[scopes] ?? []) as readonly Readonly<Record<string, unknown>>[]) {
      const scope = (inner["scope"] as { readonly name?: string } | undefined)?.name ?? "";
      for (const item of (inner[items] ?? []) as readonly Readonly<Record<string, unknown>>[]) {
        yield { resource: group["resource"] as Resource | undefined, scope, item };
      }
    }
  }
}

function serviceOf(resource: Resource | undefined): string {
  return textOf(toRecord(resource?.attributes)["service.name"]);
}

function itemsOf(items: unknown): readonly Attributes[] {
  return (items ?? []) as readonly Attributes[];
}

function attributesOf(item: Attributes): Attributes {
  return toRecord(item["attributes"] as readonly KeyValue[] | undefined);
}

function toRecord(pairs: readonly KeyValue[] | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: KeyValue["value"]): unknown {
  if (value === undefined) return undefined;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map((entry) => valueOf(entry));
  if (value.kvlistValue !== undefined) return toRecord(value.kvlistValue.values);
  return value["stringValue"] ?? value["intValue"] ?? value["doubleValue"] ?? value["boolValue"];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function hex(base64: unknown): string {
  return typeof base64 === "string" ? Buffer.from(base64, "base64").toString("hex") : "";
}
