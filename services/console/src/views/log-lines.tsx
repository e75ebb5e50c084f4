import { RequestLink } from "./request-link.tsx";
import { type LogEntry, toMs } from "../engines/loki.ts";
import { Data, duration, Time } from "./format.tsx";
import { kindOf, State } from "./state.tsx";

/** Fields that are on every line and tell nothing of this one. */
const plumbing: ReadonlySet<string> = new Set([
  "deployment_environment_name",
  "detected_level",
  "flags",
  "observed_timestamp",
  "scope_name",
  "severity_number",
  "severity_text",
  "service_name",
  "telemetry_sdk_language",
  "telemetry_sdk_name",
  "telemetry_sdk_version",
]);

interface LogLinesProps {
  readonly entries: readonly LogEntry[];
  /** Times are told from there on, in milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Each line leads to its request; not on the page of that request. */
  readonly linked?: boolean;
}

export function LogLines({ entries, sinceMs, linked = true }: LogLinesProps) {
  return (
    <ol class="lines">
      {entries.map((entry) => (
        <li>
          <LogLine entry={entry} sinceMs={sinceMs} linked={linked} />
        </li>
      ))}
    </ol>
  );
}

interface LogLineProps {
  readonly entry: LogEntry;
  readonly sinceMs?: number | undefined;
  readonly linked: boolean;
}

export function LogLine({ entry, sinceMs, linked }: LogLineProps) {
  const { fields, level, message, service, timeNs } = entry;
  const ms = toMs(timeNs);
  return (
    <details id={idOf(entry)}>
      <summary>
        <span class="when">{sinceMs === undefined ? <Time ms={ms} day={false} /> : offset(ms - sinceMs)}</span>
        <State kind={kindOf(level)}>{level}</State>
        <span class="from">
          <Data text={service} max={40} />
        </span>
        <span class="what">
          <Data text={message} max={600} />
        </span>
      </summary>
      <div class="detail">
        {linked ? (
          <p>
            <RequestLink id={fields["request_id"] ?? fields["trace_id"]}>Everything about this request</RequestLink>
          </p>
        ) : null}
        <LineFields entry={entry} />
      </div>
    </details>
  );
}

function LineFields({ entry: { fields, message, timeNs } }: { readonly entry: LogEntry }) {
  const told = Object.entries(fields).filter(([name]) => !plumbing.has(name));
  return (
    <dl class="attributes">
      <dt>time</dt>
      <dd>
        <Time ms={toMs(timeNs)} />
      </dd>
      <dt>message</dt>
      <dd>
        <Data text={message} />
      </dd>
      {told.map(([name, value]) => (
        <>
          <dt>
            <Data text={name} max={80} />
          </dt>
          <dd>
            <Data text={value} max={2_000} />
          </dd>
        </>
      ))}
    </dl>
  );
}

/** The same for a line each time it is drawn, so that one that was opened stays open. */
function idOf({ timeNs, service, fields }: LogEntry): string {
  return `line-${timeNs}-${Bun.hash(`${service} ${fields["span_id"] ?? ""} ${fields["action"] ?? ""}`).toString(36)}`;
}

function offset(ms: number): string {
  return `${ms < 0 ? "−" : "+"}${duration(Math.abs(ms))}`;
}
