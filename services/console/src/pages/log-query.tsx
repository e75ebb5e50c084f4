import { z } from "zod";
import { livePage } from "../live/live-page.tsx";
import { spanOf, spanParameters } from "../logs/filter.ts";
import { Field, FilterForm } from "../views/filter-form.tsx";
import { count } from "../views/format.tsx";
import { LogLines } from "../views/log-lines.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";

const path = "/dashboards/logs";
const limit = 200;
const maxQueryLength = 4_000;

const parameters = z.object({
  ...spanParameters,
  expr: z.string().max(maxQueryLength).default('{service_name=~".+"}'),
});

/** Where links of dashboards lead: lines by any LogQL, in the span of the panel. */
export const logQueryPage = livePage<z.output<typeof parameters>>({
  name: "log-query",
  path,
  parameters,
  everyMs: 60_000,
  settled: () => true,
  fragments: ({ engines, deps }, query) => [
    {
      id: "lines",
      waitsFor: "Loki",
      load: async () => {
        const answer = await engines.loki.lines(query.expr, { ...spanOf(query, deps.now()).range, limit });
        return (
          <Panel title="Lines" aside={answer.ok ? <small>{count(answer.value.length)}</small> : undefined}>
            {drawn(answer, (entries) =>
              entries.length === 0 ? <Empty>None in that time.</Empty> : <LogLines entries={entries.toReversed()} />,
            )}
          </Panel>
        );
      },
    },
  ],
  page: (_, query, slot) => ({
    title: "Lines of a query",
    lead: `The newest ${limit} lines, by LogQL.`,
    aside: <a href="/dashboards">All dashboards</a>,
    children: (
      <div class="column">
        <FilterForm action={path} values={query}>
          <Field name="expr" label="LogQL" values={query} max={maxQueryLength} />
        </FilterForm>
        {slot("lines")}
      </div>
    ),
  }),
});
