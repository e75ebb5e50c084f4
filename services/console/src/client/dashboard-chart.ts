import uPlot from "uplot";
import type { Happened } from "../dashboards/annotations.ts";
import type { PanelChart } from "../dashboards/chart-data.ts";
import { written } from "../dashboards/units.ts";
import { paintHeatmap } from "./heatmap.ts";
import { momentsOf } from "./moments.ts";

export interface ChartSurroundings {
  readonly happened: () => readonly Happened[];
  readonly hidden: ReadonlySet<number>;
  readonly openPoint: (chart: PanelChart, series: number, at: number) => void;
}

export interface DrawnChart {
  /** Series that were switched off in the legend. */
  hidden(): ReadonlySet<number>;
  /** With what has happened since. */
  redraw(): void;
  /** In the colours of the theme. */
  repaint(): void;
  fit(): void;
  destroy(): void;
}

const tones = { good: "--good", warn: "--warn", bad: "--bad", idle: "--ink-soft" } as const;
const toneOfState = { good: "--good", warning: "--warn", critical: "--bad" } as const;

/** Between the marks of an axis of bytes: half a MiB reads better than 488 KiB. */
const powersOfTwo = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Draws what a panel holds. Its legend is the table beside it. */
export function drawPanelChart(drawing: HTMLElement, around: ChartSurroundings): DrawnChart {
  const chart = JSON.parse(drawing.dataset["panelChart"] ?? "{}") as PanelChart;
  const canvas = drawing.querySelector<HTMLElement>(".canvas") ?? drawing;
  const hidden = new Set(around.hidden);
  let plot = make();

  function make(): uPlot {
    const size = { width: Math.max(canvas.clientWidth, 80), height: Math.max(canvas.clientHeight, 60) };
    const made = new uPlot({ ...optionsOf(chart, around, hidden), ...size }, dataOf(chart, hidden), canvas);
    made.over.addEventListener("click", () => {
      if (made.select.width > 2) return;
      const at = made.cursor.idx;
      if (at !== null && at !== undefined) around.openPoint(chart, nearest(made, chart, hidden, at), at);
    });
    return made;
  }
  const again = (): void => {
    plot.destroy();
    plot = make();
  };
  for (const button of drawing.querySelectorAll<HTMLButtonElement>("[data-series]")) {
    const series = Number(button.dataset["series"]);
    button.setAttribute("aria-pressed", String(!hidden.has(series)));
    button.addEventListener("click", () => {
      if (!hidden.delete(series)) hidden.add(series);
      button.setAttribute("aria-pressed", String(!hidden.has(series)));
      again();
    });
  }
  return {
    hidden: () => hidden,
    redraw: () => plot.redraw(false),
    repaint: again,
    fit: () => {
      if (canvas.clientWidth !== plot.width || canvas.clientHeight !== plot.height)
        plot.setSize({ width: Math.max(canvas.clientWidth, 80), height: Math.max(canvas.clientHeight, 60) });
    },
    destroy: () => plot.destroy(),
  };
}

/** The line nearest to the pointer. */
function nearest(plot: uPlot, chart: PanelChart, hidden: ReadonlySet<number>, at: number): number {
  const pointer = plot.posToVal(plot.cursor.top ?? 0, "y");
  if (chart.kind === "heatmap") return Math.min(chart.series.length - 1, Math.max(0, Math.floor(pointer)));
  const tops = stackedValues(chart, hidden);
  let best = 0;
  let distance = Number.POSITIVE_INFINITY;
  for (const [series, values] of tops.entries()) {
    const value = values[at];
    if (hidden.has(series) || value === null || value === undefined) continue;
    if (Math.abs(value - pointer) < distance) [best, distance] = [series, Math.abs(value - pointer)];
  }
  return best;
}

function stackedValues(chart: PanelChart, hidden: ReadonlySet<number>): readonly (readonly (number | null)[])[] {
  if (!chart.stacked) return chart.series.map(({ values }) => values);
  const sums = chart.times.map(() => 0);
  return chart.series.map(({ values }, series) =>
    hidden.has(series)
      ? values
      : values.map((value, at) => (value === null ? null : (sums[at] = (sums[at] ?? 0) + value))),
  );
}

function dataOf(chart: PanelChart, hidden: ReadonlySet<number>): uPlot.AlignedData {
  const rows = chart.kind === "heatmap" ? [chart.times.map(() => null)] : stackedValues(chart, hidden);
  return [chart.times, ...rows] as unknown as uPlot.AlignedData;
}

function optionsOf(
  chart: PanelChart,
  around: ChartSurroundings,
  hidden: ReadonlySet<number>,
): Omit<uPlot.Options, "width" | "height"> {
  const axis: uPlot.Axis = {
    stroke: colour("--ink-soft"),
    font: `12px ${colour("--sans")}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const heat = chart.kind === "heatmap";
  return {
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "UTC"),
    legend: { show: false },
    cursor: { sync: { key: "vitrine" }, drag: { x: true, y: false, setScale: false }, points: { show: !heat } },
    scales: {
      x: { range: [chart.from, chart.to] },
      y: { range: (_, low, high) => (heat ? [0, chart.series.length] : rangeOf(chart, low, high)) },
    },
    axes: [
      {
        ...axis,
        size: 26,
        values: (_, splits) => momentsOf(splits),
      },
      {
        ...axis,
        size: 56,
        ...(chart.unit === "bytes" || chart.unit === "Bps" ? { incrs: powersOfTwo } : {}),
        ...(heat ? { splits: () => chart.series.map((_, row) => row).filter((row) => row % 2 === 1) } : {}),
        values: (_, values) =>
          values.map((value) =>
            heat
              ? written(Number(chart.series[value - 1]?.label), chart.unit)
              : written(value, chart.unit, chart.decimals),
          ),
      },
    ],
    series: [{}, ...(heat ? [{ show: false }] : linesOf(chart, hidden))],
    hooks: {
      drawClear: heat ? [(plot) => paintHeatmap(plot, chart)] : [],
      draw: [(plot) => paintMarks(plot, chart, around.happened())],
      setSelect: [zoom],
    },
  };
}

function linesOf(chart: PanelChart, hidden: ReadonlySet<number>): uPlot.Series[] {
  return chart.series.map(({ label }, at) => {
    const stroke = colour(`--s${(at % 7) + 1}`);
    return {
      label,
      show: !hidden.has(at),
      stroke,
      width: 1.5,
      points: { show: chart.times.length < 3 },
      ...(at >= 7 ? { dash: [6, 3] } : {}),
      ...(chart.stacked ? { fill: `${stroke}22` } : {}),
    };
  });
}

function rangeOf({ min, max }: PanelChart, low: number | null, high: number | null): [number, number] {
  const bottom = min ?? Math.min(0, low ?? 0);
  const top = Math.max(max ?? Number.NEGATIVE_INFINITY, (high ?? 0) * 1.1);
  return [bottom, top > bottom ? top : bottom + 1];
}

/** Thresholds as lines across, what happened as lines down, and single requests as squares. */
function paintMarks(plot: uPlot, chart: PanelChart, happened: readonly Happened[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const { from, state } of chart.steps) {
    const y = plot.valToPos(from, "y", true);
    line(ctx, colour(toneOfState[state]), [bbox.left, y], [bbox.left + bbox.width, y]);
  }
  for (const { at, kind } of happened) {
    const x = plot.valToPos(at, "x", true);
    line(ctx, colour(tones[kind]), [x, bbox.top], [x, bbox.top + bbox.height]);
  }
  ctx.fillStyle = colour("--accent");
  const half = 2.5 * devicePixelRatio;
  for (const { at, value } of chart.exemplars)
    ctx.fillRect(plot.valToPos(at, "x", true) - half, plot.valToPos(value, "y", true) - half, 2 * half, 2 * half);
  ctx.restore();
}

function line(
  ctx: CanvasRenderingContext2D,
  stroke: string,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): void {
  ctx.strokeStyle = stroke;
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/** A span that was chosen becomes the span of the page. */
function zoom(plot: uPlot): void {
  if (plot.select.width < 4) return;
  const address = new URL(location.href);
  const from = plot.posToVal(plot.select.left, "x");
  const to = plot.posToVal(plot.select.left + plot.select.width, "x");
  address.searchParams.delete("last");
  address.searchParams.set("from", new Date(from * 1_000).toISOString());
  address.searchParams.set("to", new Date(to * 1_000).toISOString());
  location.assign(address);
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
