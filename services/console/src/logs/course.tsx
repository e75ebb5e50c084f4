import { visible } from "../views/format.tsx";
import type { Engines } from "../engines/engines.ts";
import { type Range, type Series, stepOf } from "../engines/prometheus.ts";
import { Chart } from "../views/chart.tsx";
import { drawn } from "../views/missing.tsx";
import { Panel } from "../views/panel.tsx";

const maxLabel = 40;

interface CourseOptions {
  readonly title: string;
  readonly query: string;
  /** What each bar is told apart by. */
  readonly by: string;
  readonly range: Range;
}

const maxSeries = 7;

/** How many there were over time; a span chosen in it becomes that of the page. */
export async function coursePanel({ loki }: Engines, { title, query, by, range }: CourseOptions) {
  const step = Math.max(stepOf(range) * 4, 15);
  const times = momentsOf(range, step);
  const answer = await loki.range(`sum by (${by}) (count_over_time(${query} [${step}s]))`, range, step);
  return (
    <Panel title={title}>
      {drawn(answer, (series) => (
        <Chart
          chart={{
            title: "Choose a span in it to look closer",
            unit: "count",
            zoom: true,
            times,
            series: series.slice(0, maxSeries).map(({ labels, points }) => ({
              label: visible(labels[by] ?? "lines", maxLabel),
              values: countsAt(times, step, points),
            })),
          }}
        />
      ))}
    </Panel>
  );
}

function momentsOf({ fromMs, toMs }: Range, step: number): readonly number[] {
  const length = Math.floor((toMs - fromMs) / 1_000 / step) + 1;
  return Array.from({ length }, (_, at) => fromMs / 1_000 + at * step);
}

/** Loki leaves out the moments at which there was nothing to count. */
function countsAt(times: readonly number[], step: number, points: Series["points"]): readonly number[] {
  const counts = times.map(() => 0);
  for (const [at, value] of points) counts[Math.round((at - (times[0] ?? at)) / step)] = value;
  return counts.slice(0, times.length);
}
