import type { Series } from "../engines/prometheus.ts";

/** What client/charts.ts draws. */
export interface ChartData {
  readonly title: string;
  readonly unit: "s" | "ratio" | "count" | "bytes";
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
  /** A moment to point out, in seconds since the epoch, and the value there if there is one. */
  readonly mark?: { readonly at: number; readonly value?: number; readonly label: string };
  /** How dense the lines are stacked: bars of counts, or lines. */
  readonly kind?: "line" | "bars";
  /** Query parameters that are set when a span of time is chosen in the chart. */
  readonly zoom?: boolean;
}

/** A chart and the table it is drawn from, for whoever does not see it. */
export function Chart({ chart }: { readonly chart: ChartData }) {
  return (
    <figure class="chart" data-chart={JSON.stringify(chart)}>
      <figcaption>{chart.title}</figcaption>
      <div class="canvas" role="img" aria-label={describe(chart)}></div>
    </figure>
  );
}

/** In words: the last and the highest value of every line. */
function describe({ title, unit, series }: ChartData): string {
  const lines = series.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    const last = known.at(-1);
    return last === undefined
      ? `${label}: nothing`
      : `${label}: last ${written(last, unit)}, at most ${written(Math.max(...known), unit)}`;
  });
  return `${title}. ${lines.join("; ")}`;
}

function written(value: number, unit: ChartData["unit"]): string {
  if (unit === "ratio") return `${(value * 100).toFixed(1)} %`;
  return `${Number(value.toPrecision(3))}${unit === "s" ? " s" : ""}`;
}

/** Series on one axis of times; where one has no value it has a gap. */
export function toChart(
  named: readonly { readonly label: string; readonly series: Series | undefined }[],
): Pick<ChartData, "times" | "series"> {
  const times = [...new Set(named.flatMap(({ series }) => series?.points.map(([at]) => at) ?? []))].toSorted(
    (a, b) => a - b,
  );
  return {
    times,
    series: named.map(({ label, series }) => {
      const values = new Map(series?.points);
      return {
        label,
        values: times.map((at) => {
          const value = values.get(at);
          return value === undefined || !Number.isFinite(value) ? null : value;
        }),
      };
    }),
  };
}
