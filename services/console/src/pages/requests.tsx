import { RequestLink } from "../views/request-link.tsx";
import { maxFilterLength } from "../logs/filter.ts";
import type { Engines } from "../engines/engines.ts";
import { type LogEntry, toMs } from "../engines/loki.ts";
import { livePage } from "../live/live-page.tsx";
import { coursePanel } from "../logs/course.tsx";
import { type RequestFilter, requestParameters, requestQuery, type Span, spanOf } from "../logs/filter.ts";
import { Choice, Field, FilterForm, withParameters } from "../views/filter-form.tsx";
import { Data, duration, Time } from "../views/format.tsx";
import { howMany, Older } from "../views/newest.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { kindOfStatus, State } from "../views/state.tsx";

const path = "/requests";
const pageSize = 100;

export const requestsPage = livePage<RequestFilter>({
  name: "requests",
  path,
  parameters: requestParameters,
  everyMs: 5_000,
  settled: (filter, nowMs) => !spanOf(filter, nowMs).moving,
  fragments: ({ engines, deps }, filter) => [
    { id: "list", waitsFor: "Loki", load: () => listPanel(engines, filter, spanOf(filter, deps.now())) },
    {
      id: "course",
      waitsFor: "Loki",
      load: () =>
        coursePanel(engines, {
          title: "Over time",
          query: requestQuery(filter),
          by: "detected_level",
          range: spanOf(filter, deps.now()).range,
        }),
    },
  ],
  page: (_, filter, slot) => ({
    title: "Requests",
    lead: "What came through the door, the newest first.",
    scripts: ["charts.js"],
    children: (
      <div class="column">
        <FilterForm action={path} values={filter}>
          <Field name="service" label="Answered by" values={filter} placeholder="gateway" />
          <Choice
            name="of"
            label="The console’s own"
            values={filter}
            options={[
              ["", "left out"],
              ["all", "shown"],
            ]}
          />
          <Field name="route" label="Route" values={filter} placeholder="/api/orders/**" />
          <Choice
            name="status"
            label="Status"
            values={filter}
            options={[
              ["", "any"],
              ["2xx", "answered (2xx)"],
              ["4xx", "refused (4xx)"],
              ["5xx", "failed (5xx)"],
              ...(filter.status === undefined || filter.status.endsWith("xx")
                ? []
                : [[filter.status, filter.status] as const]),
            ]}
          />
          <Field name="user" label="User" values={filter} />
          <Field
            name="slower"
            label="Slower than, ms"
            values={filter}
            pattern="\d{1,7}"
            title="a number of milliseconds"
          />
          <Field name="text" label="Text" values={filter} />
        </FilterForm>
        {slot("course")}
        {slot("list")}
      </div>
    ),
  }),
});

async function listPanel({ loki }: Engines, filter: RequestFilter, { range }: Span) {
  const answer = await loki.lines(requestQuery(filter), { ...range, limit: pageSize });
  return (
    <Panel title="Requests" aside={answer.ok ? <small>{howMany(answer.value.length, pageSize)}</small> : undefined}>
      {drawn(answer, (entries) =>
        entries.length === 0 ? (
          <Empty>None in that time. A wider span, or fewer words?</Empty>
        ) : (
          <>
            <RequestTable entries={entries.toReversed()} filter={filter} />
            <Older entries={entries} pageSize={pageSize} path={path} filter={filter} range={range} />
          </>
        ),
      )}
    </Panel>
  );
}

interface RequestTableProps {
  readonly entries: readonly LogEntry[];
  readonly filter: RequestFilter;
}

function RequestTable({ entries, filter }: RequestTableProps) {
  return (
    <div class="scroll" data-keep-scroll="">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Request</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Took
            </th>
            <th scope="col">User</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ fields, message, timeNs }) => {
            const status = Number(fields["extra_status"] ?? 0);
            const id = fields["request_id"];
            const title = (
              <Data text={`${fields["extra_method"] ?? ""} ${fields["extra_path"] ?? message}`} max={200} />
            );
            const user = fields["user"];
            return (
              <tr>
                <td>
                  <Time ms={toMs(timeNs)} day={false} />
                </td>
                <td>
                  <RequestLink id={id}>{title}</RequestLink>
                </td>
                <td>
                  <State kind={kindOfStatus(status)}>{status === 0 ? "–" : status}</State>
                </td>
                <td class="number">{duration(Number(fields["duration_ms"] ?? Number.NaN))}</td>
                <td>
                  {user === undefined ? null : (
                    <a class="mono" href={withParameters(path, filter, { user: user.slice(0, maxFilterLength) })}>
                      <Data text={user} max={40} />
                    </a>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
