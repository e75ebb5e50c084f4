import { analyseSpan } from "../analysis/span.ts";
import { Report } from "../analysis/report-panels.tsx";
import { livePage } from "../live/live-page.tsx";
import { levels, type LogFilter, logParameters, spanOf } from "../logs/filter.ts";
import { Choice, Field, FilterForm } from "../views/filter-form.tsx";
import { bytes } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Panel } from "../views/panel.tsx";

const path = "/analysis";

/** Every line of the span is read: shorter than where lines are only looked for. */
function withDefault(filter: LogFilter): LogFilter {
  const chosen = filter.last !== undefined || filter.from !== undefined || filter.to !== undefined;
  return chosen ? filter : { ...filter, last: "15m" };
}

export const analysisPage = livePage<LogFilter>({
  name: "analysis",
  path,
  parameters: logParameters,
  everyMs: 60_000,
  settled: () => true,
  fragments: ({ engines, deps }, filter) => [
    {
      id: "report",
      waitsFor: "Loki",
      load: async () =>
        drawn(await analyseSpan(engines.loki, filter, spanOf(withDefault(filter), deps.now()).range), (report) => (
          <Report report={report} />
        )),
    },
  ],
  page: ({ deps }, filter, slot) => ({
    title: "Log analysis",
    lead: "What the lines of a span, or of a file, have in common.",
    scripts: ["upload.js"],
    children: (
      <div class="column">
        <FilterForm action={path} values={withDefault(filter)}>
          <Field name="service" label="Service" values={filter} placeholder="every" />
          <Choice
            name="level"
            label="From level"
            values={filter}
            options={[["", "any"] as const, ...levels.map((level) => [level, level] as const)]}
          />
          <Field name="text" label="Text" values={filter} />
        </FilterForm>
        <Panel title="A file of your own">
          <form class="filter upload" data-upload="/api/console/logs/analyze" data-into="#report">
            <label>
              JSON lines or plain text, up to {bytes(deps.maxUploadBytes)}
              <input type="file" name="file" required data-max-bytes={String(deps.maxUploadBytes)} />
            </label>
            <button>Analyse it</button>
            <p class="problem" role="alert"></p>
          </form>
          <p class="small">It is read and forgotten: nothing of it is kept.</p>
        </Panel>
        {slot("report")}
      </div>
    ),
  }),
});
