import { legendOf } from "@vitrine/dashboards/interpolate";
import type { HeatmapPanel, SeriesQuery, State, TimeseriesPanel, Unit } from "@vitrine/dashboards/model";
import { stepSeconds } from "@vitrine/dashboards/requests";
import type { Series } from "../engines/prometheus.ts";
import { visible } from "../views/format.tsx";
import type { Exemplar } from "./ask.ts";
import { type Place, placesOf } from "./links.ts";
import type { View } from "./view.ts";

/** What client/dashboard-chart.ts draws. Times are seconds since the epoch. */
export interface PanelChart {
  readonly kind: "lines" | "heatmap";
  readonly unit: Unit;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly stacked: boolean;
  readonly from: number;
  readonly to: number;
  /** Seconds between two points. */
  readonly step: number;
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly steps: readonly { readonly from: number; readonly state: State }[];
  readonly exemplars: readonly Exemplar[];
}

export interface ChartSeries {
  readonly label: string;
  readonly unit: Unit;
  readonly values: readonly (number | null)[];
  /** Where a point of it leads. */
  readonly places: readonly Place[];
}

/** Lines nobody can tell apart any more are not drawn. */
const maxSeries = 30;
const maxLabel = 120;

export interface Drawn {
  readonly chart: PanelChart;
  /** Series that were left out: the smallest. */
  readonly omitted: number;
}

export function toLines(
  panel: TimeseriesPanel,
  view: View,
  answers: readonly (readonly Series[])[],
  exemplars: readonly Exemplar[],
): Drawn {
  const all = panel.queries.flatMap((query, at) => (answers[at] ?? []).map((series) => ({ query, series })));
  const kept =
    all.length <= maxSeries ? all : all.toSorted((a, b) => topOf(b.series) - topOf(a.series)).slice(0, maxSeries);
  const times = gridOf(kept);
  return {
    omitted: all.length - kept.length,
    chart: {
      ...frameOf(panel, view),
      kind: "lines",
      stacked: panel.stacked === true,
      times,
      series: kept.map(({ query, series }) => ({
        label: labelOf(query, series.labels),
        unit: query.unit ?? panel.unit,
        values: valuesAt(series, times),
        places: placesOf(panel.links, view, series.labels),
      })),
      steps: panel.thresholds?.steps ?? [],
      exemplars,
    },
  };
}

/** Buckets come cumulated: each as all that is at most its `le`. What is drawn is what lies between two. */
export function toHeatmap(panel: HeatmapPanel, view: View, answers: readonly (readonly Series[])[]): Drawn {
  const buckets = answers
    .flat()
    .map((series) => ({ series, le: boundOf(series.labels["le"]) }))
    .filter(({ le }) => !Number.isNaN(le))
    .toSorted((a, b) => a.le - b.le);
  const times = gridOf(buckets);
  const rows = buckets.map(({ series }) => valuesAt(series, times));
  return {
    omitted: 0,
    chart: {
      ...frameOf(panel, view),
      kind: "heatmap",
      stacked: false,
      times,
      series: buckets.map(({ le }, row) => ({
        label: String(le),
        unit: panel.unit,
        values: (rows[row] ?? []).map((value, at) =>
          value === null ? null : Math.max(0, value - (rows[row - 1]?.[at] ?? 0)),
        ),
        places: placesOf(panel.links, view, {}),
      })),
      steps: [],
      exemplars: [],
    },
  };
}

/** As Prometheus writes it; no bound is no bucket. */
function boundOf(le: string | undefined): number {
  return le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le ?? Number.NaN);
}

function frameOf(panel: TimeseriesPanel | HeatmapPanel, { asking }: View) {
  const { unit, decimals, min, max } = panel;
  return {
    unit,
    ...(decimals === undefined ? {} : { decimals }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    from: asking.range.fromMs / 1_000,
    to: asking.range.toMs / 1_000,
    step: stepSeconds(asking),
  };
}

export function labelOf({ legend }: SeriesQuery, labels: Readonly<Record<string, string>>): string {
  const named = legendOf(legend, labels);
  return visible(named === "" ? Object.values(labels).join(" ") || "value" : named, maxLabel);
}

function topOf({ points }: Series): number {
  return points.reduce((top, [, value]) => (value > top ? value : top), Number.NEGATIVE_INFINITY);
}

function gridOf(all: readonly { readonly series: Series }[]): readonly number[] {
  return [...new Set(all.flatMap(({ series }) => series.points.map(([at]) => at)))].toSorted((a, b) => a - b);
}

function valuesAt({ points }: Series, times: readonly number[]): readonly (number | null)[] {
  const values = new Map(points);
  return times.map((at) => {
    const value = values.get(at);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}
