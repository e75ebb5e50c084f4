import uPlot from "uplot";
import type { ChartData } from "../views/chart.tsx";
import { momentsOf } from "./moments.ts";

const drawn = new Map<Element, uPlot>();
const height = 190;
/** What is told by level has the colours of levels. */
const levelColours: Readonly<Record<string, string>> = {
  fatal: "--bad",
  error: "--bad",
  warn: "--warn",
  info: "--s2",
  debug: "--s6",
};

function drawAll(): void {
  for (const [figure, plot] of drawn) {
    if (figure.isConnected) continue;
    plot.destroy();
    drawn.delete(figure);
  }
  for (const figure of document.querySelectorAll<HTMLElement>("[data-chart]")) if (!drawn.has(figure)) draw(figure);
}

function draw(figure: HTMLElement): void {
  const canvas = figure.querySelector<HTMLElement>(".canvas");
  if (canvas === null) return;
  const chart = JSON.parse(figure.dataset["chart"] ?? "{}") as ChartData;
  const data = [chart.times, ...chart.series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  drawn.set(figure, new uPlot(optionsOf(chart, canvas.clientWidth), data, canvas));
}

function optionsOf(chart: ChartData, width: number): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colour("--ink-soft"),
    font: `12px ${colour("--sans")}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const times: uPlot.Axis = {
    ...axis,
    values: (_, splits) => momentsOf(splits),
  };
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "UTC"),
    legend: { live: true },
    cursor: { sync: { key: "vitrine" }, drag: { x: chart.zoom === true, y: false, setScale: false } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.12 : 1] } },
    axes: [times, { ...axis, size: 62, values: (_, values) => values.map((value) => written(value, chart.unit)) }],
    series: [
      { value: (_, seconds) => (seconds === null ? "" : new Date(seconds * 1_000).toISOString().slice(11, 19)) },
      ...chart.series.map(({ label }, at): uPlot.Series => {
        const stroke = colour(levelColours[label] ?? `--s${(at % 7) + 1}`);
        return {
          label,
          stroke,
          width: 1.5,
          points: { show: false },
          spanGaps: false,
          value: (_, value) => (value === null ? "–" : written(value, chart.unit)),
          ...(chart.kind === "bars" ? bars(stroke) : {}),
        };
      }),
    ],
    hooks: {
      draw: [(plot) => drawMark(plot, chart)],
      setSelect: [(plot) => zoom(plot, chart)],
    },
  };
}

function bars(fill: string): Partial<uPlot.Series> {
  const paths = uPlot.paths.bars?.({ size: [0.85, 24] });
  return { fill, width: 0, ...(paths === undefined ? {} : { paths }) };
}

/** A line at the moment the page is about, and a dot where its own value lies. */
function drawMark(plot: uPlot, { mark }: ChartData): void {
  if (mark === undefined) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(mark.at, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--accent");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  if (mark.value !== undefined) {
    const y = Math.max(plot.valToPos(mark.value, "y", true), bbox.top);
    ctx.beginPath();
    ctx.arc(x, y, 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/** A span that was chosen becomes the span of the page. */
function zoom(plot: uPlot, { zoom }: ChartData): void {
  if (zoom !== true || plot.select.width < 4) return;
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

function written(value: number, unit: ChartData["unit"]): string {
  if (unit === "ratio") return `${Number((value * 100).toPrecision(3))} %`;
  if (unit === "s")
    return value < 1 ? `${Number((value * 1_000).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`;
  if (unit === "bytes" && value >= 1_048_576) return `${Number((value / 1_048_576).toPrecision(3))} MiB`;
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

function redraw(): void {
  for (const plot of drawn.values()) plot.destroy();
  drawn.clear();
  drawAll();
}

drawAll();
addEventListener("vitrine:filled", drawAll);
addEventListener("vitrine:theme", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(() => {
  for (const [figure, plot] of drawn) {
    const width = figure.querySelector(".canvas")?.clientWidth ?? 0;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height });
  }
}).observe(document.body);
