import type { Engines } from "../engines/engines.ts";
import type { Trace } from "../engines/jaeger.ts";
import { type LogEntry, quoted, toMs } from "../engines/loki.ts";
import { Chart, toChart } from "../views/chart.tsx";
import { count, Data, duration } from "../views/format.tsx";
import { LogLines } from "../views/log-lines.tsx";
import { MissingNote } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { kindOf, State } from "../views/state.tsx";
import { type FoundLines, maxLines } from "./find.ts";
import type { Summary } from "./summary.ts";
import { Attributes } from "./trace-panel.tsx";

export function LinesPanel({ found, startMs }: { readonly found: FoundLines; readonly startMs: number | undefined }) {
  const { entries, looked } = found;
  const missing = looked.find((one) => one.missing !== undefined)?.missing;
  return (
    <Panel
      title="What it said"
      aside={
        <small>
          {entries.length === maxLines ? `the first ${count(maxLines)} lines` : `${count(entries.length)} lines`}
        </small>
      }
    >
      {missing === undefined ? null : <MissingNote missing={missing} what="The log" />}
      {entries.length > 0 ? (
        <LogLines entries={entries} linked={false} {...(startMs === undefined ? {} : { sinceMs: startMs })} />
      ) : missing === undefined ? (
        <Empty>No service wrote a line about it.</Empty>
      ) : null}
    </Panel>
  );
}

interface Happened {
  readonly atMs: number;
  readonly what: string;
  readonly service: string;
  readonly level: string;
  readonly told: readonly (readonly [string, string])[];
}

/** Not every line: what happened to the business, and what was thrown. */
function eventsOf(entries: readonly LogEntry[], trace: Trace | undefined): readonly Happened[] {
  const lines = entries
    .filter(({ fields }) => fields["action"] !== undefined && fields["action"] !== "http.request")
    .map(({ fields, level, message, service, timeNs }) => ({
      atMs: toMs(timeNs),
      what: `${fields["action"] ?? ""}: ${message}`,
      service,
      level,
      told: Object.entries(fields).filter(([name]) => name.startsWith("extra_") || name.startsWith("err")),
    }));
  const thrown = (trace?.spans ?? []).flatMap(({ events, service }) =>
    events.map(({ timeUs, name, attributes }) => ({
      atMs: timeUs / 1_000,
      what: `${name}${attributes["exception.message"] === undefined ? "" : `: ${attributes["exception.message"]}`}`,
      service,
      level: name === "exception" ? "error" : "info",
      told: Object.entries(attributes),
    })),
  );
  return [...lines, ...thrown].toSorted((a, b) => a.atMs - b.atMs);
}

interface EventsPanelProps {
  readonly entries: readonly LogEntry[];
  readonly trace: Trace | undefined;
  readonly startMs: number | undefined;
}

export function EventsPanel({ entries, trace, startMs }: EventsPanelProps) {
  const events = eventsOf(entries, trace);
  return (
    <Panel title="What came of it">
      {events.length === 0 ? (
        <Empty>No event: it changed nothing, and nothing was thrown.</Empty>
      ) : (
        <ol class="lines">
          {events.map(({ atMs, what, service, level, told }, at) => (
            <li>
              <details id={`event-${at}`}>
                <summary>
                  <span class="when">{startMs === undefined ? "" : `+${duration(Math.max(atMs - startMs, 0))}`}</span>
                  <State kind={kindOf(level)}>{level}</State>
                  <span class="from">
                    <Data text={service} max={40} />
                  </span>
                  <span class="what">
                    <Data text={what} max={300} />
                  </span>
                </summary>
                <div class="detail">
                  <Attributes entries={told} />
                </div>
              </details>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

const aroundMs = 15 * 60_000;

/** How the route was doing then, and where this request lies in it. */
export async function aroundPanel({ prometheus }: Engines, summary: Summary, nowMs: number) {
  const { service, route, method, startMs, durationMs, status } = summary;
  if (route === undefined) return null;
  const range = { fromMs: startMs - aroundMs, toMs: Math.min(startMs + aroundMs, nowMs) };
  const matcher = `{service_name=${quoted(service)}, http_route=${quoted(route)}, http_request_method=${quoted(method)}}`;
  const [p50, p95, errors] = await Promise.all([
    prometheus.range(`service_route:http_request_duration_seconds:p50_5m${matcher}`, range, 15),
    prometheus.range(`service_route:http_request_duration_seconds:p95_5m${matcher}`, range, 15),
    prometheus.range(`service_route:http_errors:ratio_rate5m${matcher}`, range, 15),
  ]);
  if (!p50.ok || !p95.ok || !errors.ok) {
    const missing = [p50, p95, errors].find((answer) => !answer.ok);
    return (
      <Panel title="Around that time">
        {missing === undefined || missing.ok ? null : (
          <MissingNote missing={missing.missing} what="The route’s metrics" />
        )}
      </Panel>
    );
  }
  const mark = { at: startMs / 1_000, label: "this request" };
  return (
    <Panel
      title="Around that time"
      aside={
        <small>
          {method} <Data text={route} max={120} /> at <Data text={service} max={40} />
        </small>
      }
    >
      <div class="grid even">
        <Chart
          chart={{
            title: "Latency of the route; the dot is this request",
            unit: "s",
            ...toChart([
              { label: "median", series: p50.value[0] },
              { label: "95 of 100", series: p95.value[0] },
            ]),
            mark: { ...mark, value: durationMs / 1_000 },
          }}
        />
        <Chart
          chart={{
            title: "Share of its answers that were 5xx",
            unit: "ratio",
            ...toChart([{ label: "failed", series: errors.value[0] }]),
            mark: { ...mark, ...(status >= 500 ? { value: 1 } : {}) },
          }}
        />
      </div>
    </Panel>
  );
}
