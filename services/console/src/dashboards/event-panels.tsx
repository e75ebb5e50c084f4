import type { LogsPanel, TracesPanel } from "@vitrine/dashboards/model";
import { linesPath, tracesPath } from "@vitrine/dashboards/requests";
import { type Answer, type Ask, mapAnswer } from "../engines/ask.ts";
import { type Trace, toTrace, traces } from "../engines/jaeger.ts";
import { streams, toEntries } from "../engines/loki.ts";
import { count, Data, duration, Time } from "../views/format.tsx";
import { LogLines } from "../views/log-lines.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty } from "../views/panel.tsx";
import { State } from "../views/state.tsx";
import type { View } from "./view.ts";

export async function logsContent(ask: Ask, { queries: [query] }: LogsPanel, { asking }: View) {
  const answer = mapAnswer(
    await ask({ source: "loki", path: linesPath(query.expr, asking), answer: streams }),
    toEntries,
  );
  return drawn(answer, (entries) =>
    entries.length === 0 ? <Empty>No lines in that time.</Empty> : <LogLines entries={entries.toReversed()} />,
  );
}

export async function tracesContent(ask: Ask, { queries: [query] }: TracesPanel, { asking }: View) {
  return drawTraces(
    mapAnswer(await ask({ source: "jaeger", path: tracesPath(query, asking), answer: traces }), ({ data }) =>
      data.map(toTrace),
    ),
  );
}

/** One row each; the name opens everything about the request. */
export function drawTraces(answer: Answer<readonly Trace[]>) {
  return drawn(answer, (found) =>
    found.length === 0 ? (
      <Empty>No traces in that time.</Empty>
    ) : (
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Trace</th>
            <th scope="col" class="number">
              Spans
            </th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {found.map((trace) => (
            <TraceRow trace={trace} />
          ))}
        </tbody>
      </table>
    ),
  );
}

function TraceRow({ trace: { id, spans } }: { readonly trace: Trace }) {
  const [first] = spans;
  if (first === undefined) return null;
  const endUs = spans.reduce((end, { startUs, durationUs }) => Math.max(end, startUs + durationUs), 0);
  const title = <Data text={`${first.service} ${first.name}`} max={160} />;
  return (
    <tr>
      <td>
        <Time ms={first.startUs / 1_000} day={false} />
      </td>
      <td>
        {/^[0-9a-f]{1,32}$/.test(id) ? <a href={`/requests/${id}`}>{title}</a> : title}
        {spans.some(({ failed }) => failed) ? (
          <>
            {" "}
            <State kind="bad">failed</State>
          </>
        ) : null}
      </td>
      <td class="number">{count(spans.length)}</td>
      <td class="number">{duration((endUs - first.startUs) / 1_000)}</td>
    </tr>
  );
}
