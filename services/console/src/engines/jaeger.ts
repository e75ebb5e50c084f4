import { z } from "zod";
import { type Answer, type Ask, mapAnswer } from "./ask.ts";
import type { Range } from "./prometheus.ts";

const tag = z.object({ key: z.string(), value: z.union([z.string(), z.number(), z.boolean(), z.null()]) });

const rawSpan = z.object({
  traceID: z.string(),
  spanID: z.string(),
  operationName: z.string(),
  processID: z.string(),
  references: z.array(z.object({ refType: z.string(), spanID: z.string() })).default([]),
  /** Microseconds since the epoch. */
  startTime: z.number(),
  /** Microseconds. */
  duration: z.number(),
  tags: z.array(tag).default([]),
  logs: z
    .array(z.object({ timestamp: z.number(), fields: z.array(tag) }))
    .nullish()
    .transform((logs) => logs ?? []),
});

export const traces = z.object({
  data: z
    .array(
      z.object({
        traceID: z.string(),
        spans: z.array(rawSpan),
        processes: z.record(z.string(), z.object({ serviceName: z.string() })),
      }),
    )
    .nullish()
    .transform((data) => data ?? []),
});

export interface SpanEvent {
  readonly timeUs: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Span {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly service: string;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly kind: string;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly SpanEvent[];
}

export interface Trace {
  readonly id: string;
  /** In the order in which they began. */
  readonly spans: readonly Span[];
}

export interface FindOptions extends Range {
  readonly service: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly operation?: string;
  readonly minDurationMs?: number;
  readonly limit: number;
}

export interface Jaeger {
  /** `undefined` when no trace has that id. */
  trace(id: string): Promise<Answer<Trace | undefined>>;
  find(options: FindOptions): Promise<Answer<readonly Trace[]>>;
}

export function createJaeger(ask: Ask): Jaeger {
  return {
    trace: async (id) => {
      const answer = await ask({ source: "jaeger", path: `/jaeger/api/traces/${id}`, answer: traces });
      if (!answer.ok && answer.missing.reason === "not_found") return { ok: true, value: undefined };
      return mapAnswer(answer, ({ data: [first] }) => (first === undefined ? undefined : toTrace(first)));
    },
    find: async ({ service, tags, operation, fromMs, toMs, minDurationMs, limit }) => {
      const answer = await ask({
        source: "jaeger",
        path: "/jaeger/api/traces",
        query: {
          service,
          operation,
          tags: tags === undefined ? undefined : JSON.stringify(tags),
          start: String(Math.round(fromMs * 1_000)),
          end: String(Math.round(toMs * 1_000)),
          minDuration: minDurationMs === undefined ? undefined : `${minDurationMs}ms`,
          limit: String(limit),
        },
        answer: traces,
      });
      return mapAnswer(answer, ({ data }) => data.map(toTrace));
    },
  };
}

type RawTrace = z.output<typeof traces>["data"][number];

export function toTrace({ traceID, spans, processes }: RawTrace): Trace {
  const serviceOf = (process: string) => processes[process]?.serviceName ?? "unknown";
  return {
    id: traceID,
    spans: spans.map((span) => toSpan(span, serviceOf(span.processID))).toSorted((a, b) => a.startUs - b.startUs),
  };
}

function toSpan(raw: z.output<typeof rawSpan>, service: string): Span {
  const attributes = toAttributes(raw.tags);
  return {
    id: raw.spanID,
    parentId: raw.references.find(({ refType }) => refType === "CHILD_OF")?.spanID,
    service,
    name: raw.operationName,
    startUs: raw.startTime,
    durationUs: raw.duration,
    kind: attributes["span.kind"] ?? "internal",
    failed: attributes["error"] === "true" || attributes["otel.status_code"] === "ERROR",
    attributes,
    events: raw.logs.map(({ timestamp, fields }) => {
      const { event = "event", ...rest } = toAttributes(fields);
      return { timeUs: timestamp, name: event, attributes: rest };
    }),
  };
}

function toAttributes(tags: readonly z.output<typeof tag>[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, String(value)]));
}
