import type { Answer, Missing } from "../engines/ask.ts";
import type { Engines } from "../engines/engines.ts";
import type { Span, Trace } from "../engines/jaeger.ts";
import { type LogEntry, quoted } from "../engines/loki.ts";
import type { Range } from "../engines/prometheus.ts";
import { within } from "../within.ts";
import type { RequestKey } from "./request-id.ts";

/** Where something was looked for, and what came of it. */
export interface Looked {
  readonly where: string;
  readonly range: Range | undefined;
  readonly missing: Missing | undefined;
}

export interface FoundLines {
  readonly entries: readonly LogEntry[];
  readonly looked: readonly Looked[];
}

export interface FoundTrace {
  readonly trace: Trace | undefined;
  readonly looked: readonly Looked[];
}

/** Both halves of what is known of a request. Each is asked for once, whoever wants it, and neither waits for the other. */
export interface Search {
  lines(): Promise<FoundLines>;
  trace(): Promise<FoundTrace>;
}

const minuteMs = 60_000;
/** So long the log waits to be told by Jaeger when it was. */
const jaegerFirstMs = 300;
const hourMs = 60 * minuteMs;
/** Lines of one request are shown up to here; a page of more is read by nobody. */
export const maxLines = 1_000;

export function createSearch({ loki, jaeger }: Engines, key: RequestKey, nowMs: number): Search {
  const firstTrace = once(() => traceByKey());

  async function linesIn(windows: readonly Range[]): Promise<FoundLines> {
    const looked: Looked[] = [];
    const query = `{service_name=~".+"} | ${key.kind === "trace" ? "trace_id" : "request_id"} = ${quoted(key.id)}`;
    for (const range of windows) {
      const answer = await loki.lines(query, { ...range, limit: maxLines, direction: "forward" });
      looked.push({ where: "Loki, the logs of every service", range, missing: missingOf(answer) });
      if (!answer.ok) break;
      if (answer.value.length > 0) return { entries: answer.value, looked };
    }
    return { entries: [], looked };
  }

  async function traceByKey(): Promise<FoundTrace> {
    if (key.kind === "trace") return await traceById(key.id);
    const range = windowsOf(key, nowMs).at(-1) ?? { fromMs: nowMs - hourMs, toMs: nowMs };
    const answer = await jaeger.find({ service: "gateway", tags: { "request.id": key.id }, ...range, limit: 1 });
    const looked = [{ where: "Jaeger, spans of the gateway", range, missing: missingOf(answer) }];
    return { trace: answer.ok ? answer.value[0] : undefined, looked };
  }

  async function traceById(id: string): Promise<FoundTrace> {
    const answer = await jaeger.trace(id);
    const looked = [{ where: `Jaeger, the trace ${id}`, range: undefined, missing: missingOf(answer) }];
    return { trace: answer.ok ? answer.value : undefined, looked };
  }

  return {
    lines: once(async () => {
      if (key.kind === "request") return await linesIn(windowsOf(key, nowMs));
      // Jaeger finds a trace by its id at once, and then tells where in the log to look.
      const began = startOf((await within(firstTrace(), jaegerFirstMs))?.trace);
      return await linesIn(
        began === undefined ? windowsOf(key, nowMs) : [{ fromMs: began - minuteMs, toMs: began + hourMs }],
      );
    }),
    trace: once(async () => {
      const found = await firstTrace();
      if (found.trace !== undefined || key.kind === "trace") return found;
      // It did not come through the gateway, or Jaeger does not find it by tag: its lines know the trace.
      const id = (await linesIn(windowsOf(key, nowMs))).entries.find(({ fields }) => fields["trace_id"] !== undefined)
        ?.fields["trace_id"];
      if (id === undefined) return found;
      const again = await traceById(id);
      return { trace: again.trace, looked: [...found.looked, ...again.looked] };
    }),
  };
}

/** The newest first: what people look for has just happened. An id that tells its time needs no more than that. */
function windowsOf({ atMs }: RequestKey, nowMs: number): readonly Range[] {
  const toMs = nowMs + minuteMs;
  if (atMs === undefined || atMs > toMs)
    return [1, 24, 24 * 7].map((hours) => ({ fromMs: nowMs - hours * hourMs, toMs }));
  const fromMs = atMs - minuteMs;
  return [10, 24 * 60].map((minutes) => ({ fromMs, toMs: Math.min(atMs + minutes * minuteMs, toMs) }));
}

function startOf(trace: Trace | undefined): number | undefined {
  const [first] = trace?.spans ?? [];
  return first === undefined ? undefined : first.startUs / 1_000;
}

function missingOf<T>(answer: Answer<T>): Missing | undefined {
  return answer.ok ? undefined : answer.missing;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Callers that are looked at: spans that name each other as their parents have no end of them. */
const maxAbove = 100;

/** The span in which the request came in: the first that serves below none that does. Its caller may have a span, too. */
export function rootOf({ spans }: Trace): Span | undefined {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const isBelowServer = (span: Span): boolean => {
    let caller = byId.get(span.parentId ?? "");
    for (let above = 0; caller !== undefined && above < maxAbove; above += 1) {
      if (caller.kind === "server") return true;
      caller = byId.get(caller.parentId ?? "");
    }
    return false;
  };
  return (
    spans.find((span) => span.kind === "server" && !isBelowServer(span)) ??
    spans.find(({ parentId }) => parentId === undefined || !byId.has(parentId))
  );
}
