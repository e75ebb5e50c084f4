import type { Engines } from "../engines/engines.ts";
import { livePage } from "../live/live-page.tsx";
import { coursePanel } from "../logs/course.tsx";
import { levels, type LogFilter, logParameters, logQuery, type Span, spanOf } from "../logs/filter.ts";
import { Choice, Field, FilterForm, withParameters } from "../views/filter-form.tsx";
import { LogLines } from "../views/log-lines.tsx";
import { howMany, Older } from "../views/newest.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";

const path = "/logs";
const pageSize = 200;

export const logsPage = livePage<LogFilter>({
  name: "logs",
  path,
  parameters: logParameters,
  everyMs: 5_000,
  // Following is for who asks for it: lines must not move away under the eyes of who reads them.
  settled: () => true,
  fragments: ({ engines, deps }, filter) => [
    { id: "found", waitsFor: "Loki", load: () => linesPanel(engines, filter, spanOf(filter, deps.now())) },
    {
      id: "course",
      waitsFor: "Loki",
      load: () =>
        coursePanel(engines, {
          title: "Over time",
          query: logQuery(filter),
          by: "detected_level",
          range: spanOf(filter, deps.now()).range,
        }),
    },
  ],
  page: (_, filter, slot) => ({
    title: "Logs",
    lead: "Every line of every service.",
    aside: <a href={withParameters("/analysis", filter, {})}>Analyse these</a>,
    scripts: ["charts.js", "tail.js"],
    children: (
      <div class="column">
        <FilterForm action={path} values={filter}>
          <Field name="service" label="Service" values={filter} placeholder="every" />
          <Choice
            name="level"
            label="From level"
            values={filter}
            options={[["", "any"] as const, ...levels.map((level) => [level, level] as const)]}
          />
          <Field name="action" label="Action" values={filter} placeholder="order.failed" />
          <Field name="user" label="User" values={filter} />
          <Field name="text" label="Text" values={filter} />
        </FilterForm>
        <Follow filter={filter} />
        {slot("course")}
        {slot("found")}
      </div>
    ),
  }),
});

function Follow({ filter }: { readonly filter: LogFilter }) {
  const { from: _, to: __, last: ___, ...rest } = filter;
  return (
    <div class="follow" data-tail={withParameters("/api/console/live/tail", rest, {})}>
      <button type="button" aria-pressed="false">
        Follow
      </button>
      <p class="small" role="status">
        New lines appear here as they are written.
      </p>
      <ol class="lines" tabindex={0} aria-label="New lines" hidden></ol>
    </div>
  );
}

async function linesPanel({ loki }: Engines, filter: LogFilter, { range }: Span) {
  const answer = await loki.lines(logQuery(filter), { ...range, limit: pageSize });
  return (
    <Panel title="Lines" aside={answer.ok ? <small>{howMany(answer.value.length, pageSize)}</small> : undefined}>
      {drawn(answer, (entries) =>
        entries.length === 0 ? (
          <Empty>None in that time. A wider span, or fewer words?</Empty>
        ) : (
          <>
            <LogLines entries={entries.toReversed()} />
            <Older entries={entries} pageSize={pageSize} path={path} filter={filter} range={range} />
          </>
        ),
      )}
    </Panel>
  );
}
