import type { Span } from "../engines/jaeger.ts";
import { count, Data, duration } from "../views/format.tsx";
import { MissingNote } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import type { FoundTrace } from "./find.ts";
import { layOut, titleOf, type WaterfallRow } from "./waterfall.ts";

const maxTitle = 160;
const maxIndent = 10;

export function TracePanel({ found }: { readonly found: FoundTrace }) {
  const { trace, looked } = found;
  const missing = looked.find((one) => one.missing !== undefined)?.missing;
  if (trace === undefined)
    return (
      <Panel title="What it did">
        {missing === undefined ? (
          <Empty>No spans of it are known.</Empty>
        ) : (
          <MissingNote missing={missing} what="The trace" />
        )}
      </Panel>
    );
  const { rows, hidden, durationUs } = layOut(trace);
  const colours = new Map(
    [...new Set(trace.spans.map(({ service }) => service))].map((name, at) => [name, (at % 7) + 1]),
  );
  return (
    <Panel
      title="What it did"
      aside={
        <small>
          {count(trace.spans.length)} spans · {duration(durationUs / 1_000)}
        </small>
      }
    >
      <ul class="legend">
        {[...colours].map(([name, colour]) => (
          <li>
            <svg class="swatch" aria-hidden="true">
              <rect class={`s${colour}`} width="100%" height="100%" />
            </svg>
            <Data text={name} max={60} />
          </li>
        ))}
      </ul>
      <ol class="waterfall">
        {rows.map((row) => (
          <li>
            <SpanRow row={row} colour={colours.get(row.span.service) ?? 1} />
          </li>
        ))}
      </ol>
      {hidden > 0 ? <p class="small">and {count(hidden)} more spans</p> : null}
    </Panel>
  );
}

function SpanRow({ row, colour }: { readonly row: WaterfallRow; readonly colour: number }) {
  const { span, depth, left, width, heavy } = row;
  const sql = span.attributes["db.query.text"] ?? span.attributes["db.statement"];
  return (
    <details id={`span-${span.id}`}>
      <summary class={span.failed ? "failed" : heavy ? "heavy" : ""}>
        <span class={`what d${Math.min(depth, maxIndent)}`}>
          {span.failed ? <b class="hot">failed </b> : null}
          <span class={sql === undefined ? "" : "mono"}>
            <Data text={titleOf(span)} max={maxTitle} />
          </span>
        </span>
        <svg class="bar-track" aria-hidden="true">
          <rect
            class={`s${colour}`}
            x={`${left.toFixed(2)}%`}
            width={`${width.toFixed(2)}%`}
            y="25%"
            height="50%"
            rx="1.5"
          />
        </svg>
        <span class="number">{duration(span.durationUs / 1_000)}</span>
      </summary>
      <SpanDetails span={span} sql={sql} />
    </details>
  );
}

function SpanDetails({ span, sql }: { readonly span: Span; readonly sql: string | undefined }) {
  const attributes = Object.entries(span.attributes).filter(
    ([name]) => !name.startsWith("otel.scope") && name !== "db.query.text" && name !== "db.statement",
  );
  return (
    <div class="detail">
      {sql === undefined ? null : (
        <pre tabindex={0}>
          <Data text={sql} />
        </pre>
      )}
      {span.events.map(({ name, attributes: told }) => (
        <div class="thrown">
          <b>
            <Data text={name} max={100} />
          </b>
          <Attributes entries={Object.entries(told)} />
        </div>
      ))}
      <Attributes entries={[["service", span.service], ["span", span.id], ...attributes]} />
    </div>
  );
}

export function Attributes({ entries }: { readonly entries: readonly (readonly [string, string])[] }) {
  return (
    <dl class="attributes">
      {entries.map(([name, value]) => (
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
