import type { BarsPanel, SeriesQuery, StatPanel } from "@vitrine/dashboards/model";
import { isInstant } from "@vitrine/dashboards/model";
import type { Ask } from "../engines/ask.ts";
import type { Sample, Series } from "../engines/prometheus.ts";
import { drawn } from "../views/missing.tsx";
import { Empty } from "../views/panel.tsx";
import { Sparkline } from "../views/sparkline.tsx";
import { State } from "../views/state.tsx";
import { askInstant, askRange, together } from "./ask.ts";
import { labelOf } from "./chart-data.ts";
import { placesOf } from "./links.ts";
import { Led } from "./places.tsx";
import { kindOfState, stateOf, stateWords } from "./state-of.ts";
import { written } from "./units.ts";
import type { View } from "./view.ts";

const maxFigures = 24;
const maxBars = 60;

interface Valued {
  readonly query: SeriesQuery;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly points: Series["points"];
}

/** Values of now, or the last ones of their way here where that is drawn, too. */
async function valuesOfPanel(ask: Ask, panel: StatPanel | BarsPanel, view: View) {
  const instant = isInstant(panel);
  const answers = await Promise.all(
    panel.queries.map(async (query) => {
      if (instant) {
        const answer = await askInstant(ask, query, view.asking);
        return answer.ok ? { ok: true as const, value: answer.value.map((sample) => ofSample(query, sample)) } : answer;
      }
      const answer = await askRange(ask, query, view.asking);
      return answer.ok ? { ok: true as const, value: answer.value.map((series) => ofSeries(query, series)) } : answer;
    }),
  );
  const all = together<readonly Valued[]>(answers);
  return all.ok ? { ok: true as const, value: all.value.flat() } : all;
}

function ofSample(query: SeriesQuery, { labels, value }: Sample): Valued {
  return { query, labels, value, points: [] };
}

function ofSeries(query: SeriesQuery, { labels, points }: Series): Valued {
  return { query, labels, value: points.at(-1)?.[1] ?? Number.NaN, points };
}

const nothing = <Empty>Nothing of this was measured in that time.</Empty>;

export async function statContent(ask: Ask, panel: StatPanel, view: View) {
  return drawn(await valuesOfPanel(ask, panel, view), (values) =>
    values.length === 0 ? (
      nothing
    ) : (
      <dl class="stats">
        {values.slice(0, maxFigures).map((valued) => (
          <Stat panel={panel} view={view} valued={valued} alone={values.length === 1} />
        ))}
      </dl>
    ),
  );
}

interface StatProps {
  readonly panel: StatPanel;
  readonly view: View;
  readonly valued: Valued;
  readonly alone: boolean;
}

function Stat({ panel, view, valued: { query, labels, value, points }, alone }: StatProps) {
  const word = panel.words?.[value];
  const kind = word === undefined ? stateOf(value, panel.thresholds) : kindOfState(word.state);
  const text = word?.text ?? written(value, query.unit ?? panel.unit, panel.decimals);
  return (
    <div class="stat">
      <dt class={alone ? "hidden" : undefined}>
        <bdi>{labelOf(query, labels)}</bdi>
      </dt>
      <dd>
        <Led places={placesOf(panel.links, view, labels).slice(0, 1)}>
          {kind === undefined ? (
            text
          ) : (
            <State kind={kind}>
              {text}
              {word === undefined ? <span class="hidden"> ({stateWords[kind]})</span> : null}
            </State>
          )}
        </Led>
      </dd>
      {points.length > 1 ? (
        <dd>
          <Sparkline points={points} />
        </dd>
      ) : null}
    </div>
  );
}

export async function barsContent(ask: Ask, panel: BarsPanel, view: View) {
  return drawn(await valuesOfPanel(ask, panel, view), (values) => {
    const sorted = values.filter(({ value }) => Number.isFinite(value)).toSorted((a, b) => b.value - a.value);
    const top = Math.max(panel.max ?? 0, sorted[0]?.value ?? 0, Number.MIN_VALUE);
    if (sorted.length === 0) return nothing;
    return (
      <ul class="bars">
        {sorted.slice(0, maxBars).map(({ query, labels, value }) => {
          const kind = stateOf(value, panel.thresholds);
          return (
            <li>
              <span class="what">
                <Led places={placesOf(panel.links, view, labels).slice(0, 1)}>
                  <bdi>{labelOf(query, labels)}</bdi>
                </Led>
              </span>
              <svg class={`bar-track ${kind ?? "plain"}`} aria-hidden="true">
                <rect width={`${((Math.max(0, value) / top) * 100).toFixed(2)}%`} height="100%" />
              </svg>
              <span class="number">
                {written(value, query.unit ?? panel.unit, panel.decimals)}
                {kind === undefined || kind === "good" ? null : <span class="hidden"> ({stateWords[kind]})</span>}
              </span>
            </li>
          );
        })}
        {sorted.length > maxBars ? <li class="small">and {sorted.length - maxBars} smaller ones</li> : null}
      </ul>
    );
  });
}
