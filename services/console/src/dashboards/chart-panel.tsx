import type { HeatmapPanel, TimeseriesPanel } from "@vitrine/dashboards/model";
import type { Ask } from "../engines/ask.ts";
import { drawn } from "../views/missing.tsx";
import { Empty } from "../views/panel.tsx";
import { askExemplars, askRange, together } from "./ask.ts";
import { type ChartSeries, type Drawn, toHeatmap, toLines } from "./chart-data.ts";
import { written } from "./units.ts";
import type { View } from "./view.ts";

export async function chartContent(ask: Ask, panel: TimeseriesPanel | HeatmapPanel, view: View) {
  const { asking } = view;
  const [answers, exemplars] = await Promise.all([
    Promise.all(panel.queries.map((query) => askRange(ask, query, asking))),
    askExemplars(ask, panel.queries, asking),
  ]);
  return drawn(together(answers), (series) => {
    const made = panel.kind === "heatmap" ? toHeatmap(panel, view, series) : toLines(panel, view, series, exemplars);
    return made.chart.times.length === 0 ? (
      <Empty>Nothing of this was measured in that time.</Empty>
    ) : (
      <Drawing made={made} title={panel.title} />
    );
  });
}

/** The picture, and the table that is its legend: what is drawn is told by it in numbers. */
function Drawing({ made: { chart, omitted }, title }: { readonly made: Drawn; readonly title: string }) {
  return (
    <div class="drawing" data-panel-chart={JSON.stringify(chart)}>
      <div class="canvas" aria-hidden="true"></div>
      {chart.kind === "heatmap" ? (
        <HeatmapTable series={chart.series} title={title} />
      ) : (
        <table class="series">
          <caption class={omitted > 0 ? "small" : "hidden"}>
            {title}
            {omitted > 0 ? `, without ${omitted} smaller ones` : ""}
          </caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">Series</span>
              </th>
              {["last", "mean", "max"].map((name) => (
                <th scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {chart.series.map((series, at) => (
              <SeriesRow series={series} at={at} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function SeriesRow({ series: { label, unit, values }, at }: { readonly series: ChartSeries; readonly at: number }) {
  const known = values.filter((value) => value !== null);
  const sum = known.reduce((total, value) => total + value, 0);
  return (
    <tr>
      <th scope="row">
        <button type="button" class="key" data-series={String(at)} aria-pressed="true">
          <svg class="swatch" aria-hidden="true">
            <rect class={`s${(at % 7) + 1}`} width="100%" height="100%" />
          </svg>
          <bdi>{label}</bdi>
        </button>
      </th>
      <td class="number" data-now={String(at)}>
        {written(known.at(-1) ?? Number.NaN, unit)}
      </td>
      <td class="number">{written(known.length === 0 ? Number.NaN : sum / known.length, unit)}</td>
      <td class="number">
        {written(
          known.reduce((top, value) => Math.max(top, value), known[0] ?? Number.NaN),
          unit,
        )}
      </td>
    </tr>
  );
}

/** Which buckets hold how much of all there was. */
function HeatmapTable({ series, title }: { readonly series: readonly ChartSeries[]; readonly title: string }) {
  const sums = series.map(({ values }) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
  const all = sums.reduce((a, b) => a + b, 0);
  return (
    <table class="hidden">
      <caption>{title}, shares of the whole</caption>
      <tbody>
        {series.map(({ label, unit }, at) => (
          <tr>
            <th scope="row">up to {label === "Infinity" ? "any" : written(Number(label), unit)}</th>
            <td>{written(all === 0 ? 0 : (sums[at] ?? 0) / all, "percentunit")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
