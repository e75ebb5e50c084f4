import { livePage } from "../live/live-page.tsx";
import { type AuditFilter, auditParameters, AuditSearch, isPast } from "../audit/filter.tsx";
import { eventsPanel } from "../audit/events-panel.tsx";
import { Panel } from "../views/panel.tsx";

export const auditPage = livePage<AuditFilter>({
  name: "audit",
  path: "/audit",
  parameters: auditParameters,
  scope: "users:admin",
  everyMs: 10_000,
  settled: isPast,
  fragments: (context, filter) => [{ id: "events", waitsFor: "auth", load: () => eventsPanel(context, filter) }],
  page: (_, filter, slot) => ({
    title: "Audit log",
    lead: "Who came in, who was kept out, who changed what. No row can be changed or taken out unseen.",
    aside: <a href="/users">Users</a>,
    children: (
      <div class="column">
        <Check />
        <AuditSearch filter={filter} />
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
