import { visible } from "../views/format.tsx";
import type { Engines } from "../engines/engines.ts";
import { type Range, stepOf } from "../engines/prometheus.ts";
import { Chart, toChart } from "../views/chart.tsx";
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

/** How many there were over time; a span chosen in it becomes that of the page. */
export async function coursePanel({ loki }: Engines, { title, query, by, range }: CourseOptions) {
  const step = Math.max(stepOf(range) * 4, 15);
  const answer = await loki.range(`sum by (${by}) (count_over_time(${query} [${step}s]))`, range, step);
  return (
    <Panel title={title}>
      {drawn(answer, (series) => (
        <Chart
          chart={{
            title: "Choose a span in it to look closer",
            unit: "count",
            zoom: true,
            ...toChart(
              series.slice(0, 7).map((one) => ({ label: visible(one.labels[by] ?? "lines", maxLabel), series: one })),
            ),
          }}
        />
      ))}
    </Panel>
  );
}
