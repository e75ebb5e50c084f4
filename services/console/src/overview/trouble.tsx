import { requestQuery } from "../logs/filter.ts";
import { RequestLink } from "../views/request-link.tsx";
import type { Engines } from "../engines/engines.ts";
import { count, Data, duration, percent, Time } from "../views/format.tsx";
import { withParameters } from "../views/filter-form.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { kindOf, State, type StateKind } from "../views/state.tsx";

/** What is left of each error budget, the least first. */
export async function budgetPanel({ prometheus }: Engines) {
  const answer = await prometheus.instant("slo:error_budget_remaining:ratio_7d");
  return (
    <Panel title="Error budget left" aside={<small>seven days</small>}>
      {drawn(answer, (samples) =>
        samples.length === 0 ? (
          <Empty>Nothing has been measured yet.</Empty>
        ) : (
          <ul class="rows">
            {samples
              .toSorted((a, b) => a.value - b.value)
              .map(({ labels, value }) => (
                <li>
                  <span class="name">
                    <Data text={labels["slo"] ?? ""} max={40} />{" "}
                    <small>
                      <Data text={labels["service_name"] ?? ""} max={40} />
                    </small>
                  </span>
                  <meter min="0" max="1" low={0.25} optimum={1} value={Math.max(0, Math.min(1, value))}>
                    {percent(value)}
                  </meter>
                  <span class="end number">
                    <State kind={budgetKind(value)}>{value < 0 ? "spent" : percent(value)}</State>
                  </span>
                </li>
              ))}
          </ul>
        ),
      )}
    </Panel>
  );
}

function budgetKind(left: number): StateKind {
  return left <= 0 ? "bad" : left < 0.25 ? "warn" : "good";
}

const maxAlerts = 12;

export async function alertsPanel({ alertmanager }: Engines) {
  const answer = await alertmanager.firing();
  return (
    <Panel
      title="Firing alerts"
      aside={<a href="/alerts">{answer.ok ? `all ${count(answer.value.length)}` : "all"}</a>}
    >
      {drawn(answer, (alerts) =>
        alerts.length === 0 ? (
          <Empty>Nothing is wrong that anybody has a rule for.</Empty>
        ) : (
          <ul class="rows">
            {alerts.slice(0, maxAlerts).map(({ name, severity, summary, startsAtMs, fingerprint, silencedBy }) => (
              <li class="alert">
                <State kind={kindOf(severity)}>{severity}</State>
                <span class="name">
                  <a href={withParameters("/alerts", {}, { fingerprint })}>
                    <Data text={name} max={100} />
                  </a>
                  {silencedBy.length > 0 ? <small> silenced</small> : null}
                </span>
                <small class="end">
                  since <Time ms={startsAtMs} />
                </small>
                <p class="small full">
                  <Data text={summary} max={300} />
                </p>
              </li>
            ))}
            {alerts.length > maxAlerts ? <li class="small">and {alerts.length - maxAlerts} more</li> : null}
          </ul>
        ),
      )}
    </Panel>
  );
}

/** What "all" leads to; without the console's own questions, which fail many times a minute while an engine is away. */
export const failuresQuery = requestQuery({ status: "5xx" });
const failuresMs = 3_600_000;

/** The way from "something fails" to the request that did. */
export async function failuresPanel({ loki }: Engines, nowMs: number) {
  const answer = await loki.lines(failuresQuery, { fromMs: nowMs - failuresMs, toMs: nowMs, limit: 8 });
  return (
    <Panel title="Requests that failed" aside={<a href="/requests?status=5xx">all</a>}>
      {drawn(answer, (lines) =>
        lines.length === 0 ? (
          <Empty>None in the last hour.</Empty>
        ) : (
          <ul class="rows">
            {lines.toReversed().map(({ fields, message, timeNs }) => (
              <li>
                <small>
                  <Time ms={Number(timeNs.slice(0, -6))} day={false} />
                </small>
                <RequestLink id={fields["request_id"]}>
                  <Data text={message} max={120} />
                </RequestLink>
                <small class="end number">{duration(Number(fields["duration_ms"] ?? Number.NaN))}</small>
              </li>
            ))}
          </ul>
        ),
      )}
    </Panel>
  );
}
