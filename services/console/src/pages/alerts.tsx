import { z } from "zod";
import { firingPanel } from "../alerts/firing-panel.tsx";
import { type AlertFilter, historyPanel } from "../alerts/history-panel.tsx";
import { runbookOf } from "../alerts/runbook.tsx";
import { silencesPanel } from "../alerts/silences-panel.tsx";
import { livePage } from "../live/live-page.tsx";
import { Choice, Field } from "../views/filter-form.tsx";
import { Panel } from "../views/panel.tsx";

const word = z
  .string()
  .max(512)
  .transform((text) => (text === "" ? undefined : text))
  .optional();

const parameters = z
  .object({ fingerprint: word, silence: word, name: word, status: word, tier: word, cursor: word })
  .transform(({ fingerprint, silence, name, status, tier, cursor }): AlertFilter => ({
    fingerprint,
    silence,
    name,
    status,
    tier,
    cursor,
  }));

export const alertsPage = livePage<AlertFilter>({
  name: "alerts",
  path: "/alerts",
  parameters,
  everyMs: 5_000,
  fragments: (context, filter) => [
    { id: "firing", waitsFor: "Alertmanager", load: () => firingPanel(context, filter.fingerprint) },
    { id: "silences", waitsFor: "Alertmanager", load: () => silencesPanel(context) },
    { id: "history", waitsFor: "the notifier", load: () => historyPanel(context, filter) },
    ...(filter.name === undefined
      ? []
      : [
          {
            id: "meaning",
            waitsFor: "the notifier",
            load: async () => <Panel title="What it means">{await runbookOf(context.ask, filter.name ?? "")}</Panel>,
          },
        ]),
  ],
  page: ({ person }, filter, slot) => ({
    title: "Alerts",
    lead: "What is wrong now, what was, and what each means.",
    aside: (
      <>
        <a href="/thresholds">Thresholds</a>
        {person.may("alerts:admin") ? (
          <>
            {" "}
            <a href="/notifications">Who is told</a>
          </>
        ) : null}
      </>
    ),
    children: (
      <div class="column">
        {slot("firing")}
        {slot("meaning")}
        {slot("silences")}
        <form class="filter" action="/alerts" role="search">
          <Field name="name" label="Name" values={filter} placeholder="HighErrorRate" />
          <Choice
            name="status"
            label="State"
            values={filter}
            options={[
              ["", "any"],
              ["firing", "firing"],
              ["resolved", "over"],
            ]}
          />
          <Choice
            name="tier"
            label="How bad"
            values={filter}
            options={[
              ["", "any"],
              ["critical", "critical"],
              ["warning", "warning"],
              ["info", "info"],
            ]}
          />
          <button>Search</button>
          <a href="/alerts">Clear</a>
        </form>
        {slot("history")}
      </div>
    ),
  }),
});
