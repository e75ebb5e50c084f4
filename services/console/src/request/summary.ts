import type { Trace } from "../engines/jaeger.ts";
import { type LogEntry, toMs } from "../engines/loki.ts";
import { rootOf } from "./find.ts";

/** Who, what, status and duration, from whichever half tells. */
export interface Summary {
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  readonly service: string;
  readonly method: string;
  /** As a template; absent where nothing matched. */
  readonly route: string | undefined;
  readonly path: string;
  /** 0 while it is not known. */
  readonly status: number;
  readonly durationMs: number;
  readonly startMs: number;
  readonly user: string | undefined;
  readonly clientId: string | undefined;
  readonly services: readonly string[];
}

export function summarise(entries: readonly LogEntry[], trace: Trace | undefined): Summary | undefined {
  const byLog = fromLog(entries);
  const bySpan = trace === undefined ? undefined : fromTrace(trace);
  const first = byLog ?? bySpan;
  if (first === undefined) return undefined;
  const services = new Set([
    ...entries.map(({ service }) => service),
    ...(trace?.spans.map(({ service }) => service) ?? []),
  ]);
  return {
    ...first,
    // The span measures more finely, and its beginning is one: a line is written at the end.
    startMs: bySpan?.startMs ?? first.startMs,
    durationMs: bySpan?.durationMs ?? first.durationMs,
    requestId: first.requestId ?? bySpan?.requestId,
    traceId: first.traceId ?? bySpan?.traceId,
    user: first.user ?? bySpan?.user,
    services: [...services].toSorted(),
  };
}

type Half = Omit<Summary, "services">;

/** By the access line of whoever saw the request first: the gateway, or else the one that took longest. */
function fromLog(entries: readonly LogEntry[]): Half | undefined {
  const access = entries.filter(({ fields }) => fields["action"] === "http.request");
  const line = access.find(({ service }) => service === "gateway") ?? access.toSorted((a, b) => took(b) - took(a))[0];
  if (line === undefined) return undefined;
  const { fields, timeNs, service } = line;
  return {
    requestId: fields["request_id"],
    traceId: fields["trace_id"],
    service,
    method: fields["extra_method"] ?? "",
    route: known(fields["extra_route"]),
    path: fields["extra_path"] ?? "",
    status: Number(fields["extra_status"] ?? 0),
    durationMs: took(line),
    startMs: toMs(timeNs) - took(line),
    user: fields["user"],
    clientId: fields["extra_client_id"],
  };
}

function took({ fields }: LogEntry): number {
  const ms = Number(fields["duration_ms"] ?? 0);
  return Number.isFinite(ms) ? ms : 0;
}

function known(text: string | undefined): string | undefined {
  return text === undefined || text === "" || text === "null" ? undefined : text;
}

function fromTrace(trace: Trace): Half | undefined {
  const root = rootOf(trace);
  if (root === undefined) return undefined;
  const { attributes } = root;
  return {
    requestId: attributes["request.id"],
    traceId: trace.id,
    service: root.service,
    method: attributes["http.request.method"] ?? "",
    route: attributes["http.route"],
    path: attributes["url.path"] ?? root.name,
    status: Number(attributes["http.response.status_code"] ?? 0),
    durationMs: root.durationUs / 1_000,
    startMs: root.startUs / 1_000,
    user: attributes["user.id"],
    clientId: undefined,
  };
}
