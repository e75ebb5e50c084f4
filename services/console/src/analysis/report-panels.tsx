import { RequestLink } from "../views/request-link.tsx";
import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import { count, Data, duration, percent, Time } from "../views/format.tsx";
import { Empty, Figure, Panel } from "../views/panel.tsx";
import { kindOf, State } from "../views/state.tsx";

/** The report as a page shows it. */
export function Report({ report }: { readonly report: AnalysisReport }) {
  const { lines, complete, levels, from, to } = report;
  if (lines === 0) return <Empty>There are no lines to analyse.</Empty>;
  return (
    <div class="column">
      <Panel title="Lines" aside={complete ? undefined : <small>the newest {count(lines)} only</small>}>
        <dl class="figures">
          <Figure label="All" value={count(lines)} />
          {Object.entries(levels)
            .toSorted(([, a], [, b]) => b - a)
            .map(([level, number]) => (
              <Figure
                label={level}
                value={count(number)}
                note={<State kind={kindOf(level)}>{percent(number / lines)}</State>}
              />
            ))}
        </dl>
        {from === null || to === null ? null : (
          <p class="small">
            From <Time ms={Date.parse(from)} /> to <Time ms={Date.parse(to)} /> UTC.
          </p>
        )}
      </Panel>
      <PatternsPanel title="New patterns" patterns={report.newPatterns} none="Nothing that was not there before." />
      <Bursts bursts={report.bursts} />
      <Addresses addresses={report.addresses} />
      <Slowest slowest={report.slowest} />
      <PatternsPanel title="Frequent patterns" patterns={report.patterns} none="None." />
    </div>
  );
}

interface PatternsProps {
  readonly title: string;
  readonly patterns: AnalysisReport["patterns"];
  readonly none: string;
}

function PatternsPanel({ title, patterns, none }: PatternsProps) {
  return (
    <Panel title={title}>
      {patterns.length === 0 ? (
        <Empty>{none}</Empty>
      ) : (
        <ol class="lines patterns">
          {patterns.map(({ template, count: times, level, example, requestId, firstAt }) => (
            <li>
              <details>
                <summary>
                  <span class="number">{count(times)}</span>
                  <State kind={kindOf(level)}>{level}</State>
                  <span class="what mono">
                    <Data text={template} max={400} />
                  </span>
                </summary>
                <div class="detail">
                  <pre tabindex={0}>
                    <Data text={example} />
                  </pre>
                  {firstAt === null ? null : (
                    <p class="small">
                      First at <Time ms={Date.parse(firstAt)} />.
                    </p>
                  )}
                  <p>
                    <RequestLink id={requestId}>{requestId === null ? null : "A request it belongs to"}</RequestLink>
                  </p>
                </div>
              </details>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Bursts({ bursts }: { readonly bursts: AnalysisReport["bursts"] }) {
  return (
    <Panel title="Bursts of errors">
      {bursts.length === 0 ? (
        <Empty>None: errors came no thicker at one time than at another.</Empty>
      ) : (
        <ul class="rows">
          {bursts.map(({ from, to, errors, usual }) => (
            <li>
              <a class="name" href={`/logs?level=error&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`}>
                <Time ms={Date.parse(from)} /> to <Time ms={Date.parse(to)} day={false} />
              </a>
              <span class="end">
                <State kind="bad">{count(errors)} errors</State> <small>usual {count(usual)}</small>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const reasons = {
  many_refusals: "refused again and again",
  probing: "looks for what is not there",
  flood: "asks far more than others",
};

function Addresses({ addresses }: { readonly addresses: AnalysisReport["addresses"] }) {
  return (
    <Panel title="Suspicious addresses">
      {addresses.length === 0 ? (
        <Empty>No address behaves unlike the others.</Empty>
      ) : (
        <ul class="rows">
          {addresses.map(({ address, requests, refused, missed, reasons: why }) => (
            <li>
              <span class="name mono">
                <Data text={address} max={64} />
              </span>
              <State kind="warn">{why.map((reason) => reasons[reason]).join(", ")}</State>
              <small class="end">
                {count(requests)} requests, {count(refused)} refused, {count(missed)} not found
              </small>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Slowest({ slowest }: { readonly slowest: AnalysisReport["slowest"] }) {
  return (
    <Panel title="Slowest actions">
      {slowest.length === 0 ? (
        <Empty>No line tells how long anything took.</Empty>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Action</th>
                <th scope="col" class="number">
                  Times
                </th>
                <th scope="col" class="number">
                  Median
                </th>
                <th scope="col" class="number">
                  p95
                </th>
                <th scope="col" class="number">
                  Longest
                </th>
              </tr>
            </thead>
            <tbody>
              {slowest.map(({ action, count: times, medianMs, p95Ms, maxMs, requestId }) => (
                <tr>
                  <th scope="row">
                    <Data text={action} max={120} />
                  </th>
                  <td class="number">{count(times)}</td>
                  <td class="number">{duration(medianMs)}</td>
                  <td class="number">{duration(p95Ms)}</td>
                  <td class="number">
                    <RequestLink id={requestId}>{duration(maxMs)}</RequestLink>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
