import { tracesPath } from "@vitrine/dashboards/requests";
import { z } from "zod";
import { drawTraces } from "../dashboards/event-panels.tsx";
import { mapAnswer } from "../engines/ask.ts";
import { toTrace, traces } from "../engines/jaeger.ts";
import { livePage } from "../live/live-page.tsx";
import { spanOf, spanParameters } from "../logs/filter.ts";
import { Field, FilterForm } from "../views/filter-form.tsx";
import { Panel } from "../views/panel.tsx";

const path = "/dashboards/traces";
const maxTagsLength = 4_000;
const tagNames = z.record(z.string().max(200), z.string().max(1_000));

const parameters = z.object({
  ...spanParameters,
  service: z.string().max(256).default("gateway"),
  tags: z
    .string()
    .max(maxTagsLength)
    .refine((text) => text === "" || tagNames.safeParse(parseJson(text)).success, 'must be such as {"name":"value"}')
    .optional(),
  min: z
    .string()
    .regex(/^(?:\d{1,7}(?:us|ms|s))?$/, "must be a duration such as 500ms")
    .optional(),
});

/** Where links of dashboards lead: traces by what they carry, in the span of the panel. */
export const traceSearchPage = livePage<z.output<typeof parameters>>({
  name: "trace-search",
  path,
  parameters,
  everyMs: 60_000,
  settled: () => true,
  fragments: ({ ask, deps }, query) => [
    {
      id: "traces",
      waitsFor: "Jaeger",
      load: async () => {
        const { range } = spanOf(query, deps.now());
        const search = {
          datasource: "jaeger",
          service: query.service,
          tags: tagNames.catch({}).parse(parseJson(query.tags ?? "")),
          ...(query.min === undefined || query.min === "" ? {} : { minDuration: query.min }),
        } as const;
        const found = await ask({
          source: "jaeger",
          path: tracesPath(search, { range, points: 1, scope: {} }),
          answer: traces,
        });
        return <Panel title="Traces">{drawTraces(mapAnswer(found, ({ data }) => data.map(toTrace)))}</Panel>;
      },
    },
  ],
  page: (_, query, slot) => ({
    title: "Traces of a search",
    lead: "The newest twenty; a trace opens everything about its request.",
    aside: <a href="/dashboards">All dashboards</a>,
    children: (
      <div class="column">
        <FilterForm action={path} values={query}>
          <Field name="service" label="Service" values={query} />
          <Field
            name="tags"
            label="Attributes, as JSON"
            values={query}
            placeholder='{"http.route":"/api/orders"}'
            max={maxTagsLength}
          />
          <Field name="min" label="Longer than" values={query} placeholder="500ms" />
        </FilterForm>
        {slot("traces")}
      </div>
    ),
  }),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
