import { auditPage as auditAnswer } from "@vitrine/contracts/people";
import { z } from "zod";
import { livePage } from "../live/live-page.tsx";
import type { PageContext } from "../page-context.ts";
import { withParameters } from "../views/filter-form.tsx";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { RequestLink } from "../views/request-link.tsx";
import { State } from "../views/state.tsx";

const path = "/audit";
const parameters = z.object({ cursor: z.string().max(512).optional() });

type Parameters = z.output<typeof parameters>;

export const auditPage = livePage<Parameters>({
  name: "audit",
  path,
  parameters,
  scope: "users:admin",
  everyMs: 10_000,
  settled: ({ cursor }) => cursor !== undefined,
  fragments: (context, { cursor }) => [{ id: "events", waitsFor: "auth", load: () => eventsPanel(context, cursor) }],
  page: (_, __, slot) => ({
    title: "Audit log",
    lead: "Who came in, who was kept out, who changed what. No row can be changed or taken out unseen.",
    aside: <a href="/users">Users</a>,
    children: (
      <div class="column">
        <Check />
        {slot("events")}
      </div>
    ),
  }),
});

function Check() {
  return (
    <Panel title="Is it whole?">
      <form data-api="POST /api/auth/audit/check" data-show="#checked">
        <button>Check every row</button>
        <p class="problem" role="alert"></p>
      </form>
      <dl id="checked" class="attributes" tabindex={-1} hidden>
        <dt>Whole</dt>
        <dd data-field="intact"></dd>
        <dt>Rows that hold</dt>
        <dd data-field="rows"></dd>
        <dt>First that does not</dt>
        <dd data-field="brokenAt"></dd>
        <dt>Hash of the last one</dt>
        <dd class="mono" data-field="head"></dd>
      </dl>
    </Panel>
  );
}

async function eventsPanel({ ask }: PageContext, cursor: string | undefined) {
  const answer = await ask({
    source: "auth",
    path: "/api/auth/audit",
    query: { limit: "100", cursor },
    answer: auditAnswer,
  });
  return (
    <Panel title="Events">
      {drawn(answer, ({ items, next }) =>
        items.length === 0 ? (
          <Empty>Nothing has happened yet.</Empty>
        ) : (
          <>
            <div class="scroll" data-keep-scroll="">
              <table class="broad">
                <thead>
                  <tr>
                    {["When", "Event", "What", "Who", "To what", "From"].map((title) => (
                      <th scope="col">{title}</th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {items.map((event) => (
                    <tr>
                      <td>
                        <Time ms={Date.parse(event.at)} />
                      </td>
                      <td>
                        <State kind={event.outcome === "success" ? "good" : "bad"}>
                          <RequestLink id={event.requestId}>
                            <Data text={event.event} max={80} />
                          </RequestLink>
                        </State>
                      </td>
                      <td>
                        <Data text={event.action} max={80} />
                        {event.reason === null ? null : (
                          <small>
                            {" "}
                            <Data text={event.reason} max={120} />
                          </small>
                        )}
                      </td>
                      <td class="mono">
                        <Data text={event.actor ?? "–"} max={64} />
                      </td>
                      <td class="mono">
                        <Data text={event.target ?? "–"} max={64} />
                      </td>
                      <td class="unbroken">
                        <Data text={event.address ?? "–"} max={64} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {next === null ? null : (
              <p class="links">
                <a href={withParameters(path, {}, { cursor: next })}>Older ones</a>
              </p>
            )}
          </>
        ),
      )}
    </Panel>
  );
}
