import type uPlot from "uplot";
import type { PanelChart } from "../dashboards/chart-data.ts";

/** Each bucket a row, each step a column; the more there was, the more ink. */
export function paintHeatmap(plot: uPlot, { series, times, step }: PanelChart): void {
  const { ctx } = plot;
  const top = series.reduce((most, { values }) => values.reduce<number>((a, b) => Math.max(a, b ?? 0), most), 0);
  if (top === 0) return;
  ctx.save();
  ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  for (const [row, { values }] of series.entries()) {
    const bottom = plot.valToPos(row, "y", true);
    const height = bottom - plot.valToPos(row + 1, "y", true);
    for (const [at, value] of values.entries()) {
      if (value === null || value <= 0) continue;
      const seconds = times[at] ?? 0;
      const left = plot.valToPos(seconds - step, "x", true);
      const right = plot.valToPos(seconds, "x", true);
      // A root, so that little is seen beside much.
      ctx.globalAlpha = 0.1 + 0.9 * Math.sqrt(value / top);
      ctx.fillRect(left, bottom - height, Math.ceil(right - left), height);
    }
  }
  ctx.restore();
}
