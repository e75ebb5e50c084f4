import { maxFilterLength } from "../logs/filter.ts";
import { withParameters } from "../views/filter-form.tsx";
import { count, Data, duration, instant, Time, visible } from "../views/format.tsx";
import { MissingNote } from "../views/missing.tsx";
import { Figure, Panel } from "../views/panel.tsx";
import { kindOfStatus, State } from "../views/state.tsx";
import type { FoundLines, FoundTrace, Looked } from "./find.ts";
import type { RequestKey } from "./request-id.ts";
import type { Summary } from "./summary.ts";

interface HeadProps {
  readonly summary: Summary;
  readonly grafanaUrl: string | undefined;
}

export function Head({ summary, grafanaUrl }: HeadProps) {
  const { method, route, path, status, durationMs, startMs, user, clientId, services } = summary;
  return (
    <Panel
      title={visible(`${method} ${route ?? path}`, 200)}
      aside={<State kind={kindOfStatus(status)}>{outcome(status)}</State>}
    >
      <dl class="figures">
        <Figure label="Status" value={status === 0 ? "–" : String(status)} />
        <Figure label="Took" value={duration(durationMs)} />
        <Figure
          label="Services"
          value={count(services.length)}
          note={<Data text={services.slice(0, 8).join(", ")} max={200} />}
        />
      </dl>
      <dl class="attributes">
        <dt>who</dt>
        <dd>
          {user === undefined ? (
            "nobody who said so"
          ) : (
            <a href={`/requests?user=${encodeURIComponent(user.slice(0, maxFilterLength))}`}>
              <Data text={user} max={128} />
            </a>
          )}
          {clientId === undefined || clientId === user ? null : (
            <>
              {" "}
              by <Data text={clientId} max={128} />
            </>
          )}
        </dd>
        <dt>path</dt>
        <dd>
          <Data text={path} max={500} />
        </dd>
        <dt>when</dt>
        <dd>
          <Time ms={startMs} /> UTC
        </dd>
        {summary.requestId === undefined ? null : (
          <>
            <dt>request</dt>
            <dd class="mono">
              <Data text={summary.requestId} max={128} />
            </dd>
          </>
        )}
        {summary.traceId === undefined ? null : (
          <>
            <dt>trace</dt>
            <dd class="mono">
              <Data text={summary.traceId} max={64} />
            </dd>
          </>
        )}
      </dl>
      <Links summary={summary} grafanaUrl={grafanaUrl} />
    </Panel>
  );
}

function outcome(status: number): string {
  if (status === 0) return "not known";
  return status >= 500 ? "failed" : status >= 400 ? "refused" : "answered";
}

const aroundMs = 60_000;

function Links({ summary, grafanaUrl }: HeadProps) {
  const { route, startMs, traceId, service } = summary;
  const from = encodeURIComponent(new Date(startMs - aroundMs).toISOString());
  const to = encodeURIComponent(new Date(startMs + aroundMs).toISOString());
  return (
    <p class="links">
      <a href={`/logs?from=${from}&to=${to}`}>All logs of that minute</a>
      {route === undefined ? null : (
        <a href={withParameters("/requests", {}, { service, route: route.slice(0, maxFilterLength) })}>
          Requests like it
        </a>
      )}
      {traceId === undefined ? null : (
        <a href={`/jaeger/api/traces/${encodeURIComponent(traceId)}`}>As Jaeger has it</a>
      )}
      {traceId === undefined || grafanaUrl === undefined ? null : (
        <a href={grafanaTrace(grafanaUrl, traceId)} rel="noreferrer">
          In Grafana
        </a>
      )}
    </p>
  );
}

/** Grafana's own form of a link to what its Explore shows. */
function grafanaTrace(grafanaUrl: string, traceId: string): string {
  const pane = { datasource: "jaeger", queries: [{ refId: "A", query: traceId, queryType: "" }] };
  return `${grafanaUrl}/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify({ a: pane }))}`;
}

interface NotFoundProps {
  readonly requestKey: RequestKey;
  readonly lines: FoundLines;
  readonly trace: FoundTrace;
  readonly nowMs: number;
}

/** Telemetry takes a few seconds from a service to its engine. */
const onItsWayMs = 15_000;

export function NotFound({ requestKey: { id, kind, atMs }, lines, trace, nowMs }: NotFoundProps) {
  const looked = [...lines.looked, ...trace.looked];
  const away = looked.filter(({ missing }) => missing !== undefined);
  return (
    <Panel title="Nothing is known of it">
      <p>
        No line and no span carries the {kind} id{" "}
        <span class="mono">
          <Data text={id} max={128} />
        </span>
        .
        {atMs === undefined ? null : (
          <>
            {" "}
            By its id it came at <Time ms={atMs} /> UTC.
          </>
        )}
      </p>
      {atMs !== undefined && nowMs - atMs < onItsWayMs ? (
        <p>It is seconds old: what was recorded of it may still be on its way. This page looks again by itself.</p>
      ) : null}
      {away.map(({ missing }) => (missing === undefined ? null : <MissingNote missing={missing} />))}
      <h3>Where was looked</h3>
      <ul>
        {looked.map((one) => (
          <li>
            <Place looked={one} />
          </li>
        ))}
      </ul>
      <p class="small">
        Requests to ingest and health routes leave neither line nor span, and everything is forgotten after a week.
      </p>
    </Panel>
  );
}

function Place({ looked: { where, range, missing } }: { readonly looked: Looked }) {
  return (
    <>
      {where}
      {range === undefined
        ? null
        : `, from ${instant(range.fromMs).slice(0, 16)} to ${instant(range.toMs).slice(0, 16)}`}
      {missing === undefined ? null : " – without an answer"}
    </>
  );
}
