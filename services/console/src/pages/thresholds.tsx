import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";
import { changesPanel, thresholdsPanel } from "../thresholds/panels.tsx";

export const thresholdsPage = livePage<NoParameters>({
  name: "thresholds",
  path: "/thresholds",
  parameters: noParameters,
  everyMs: 10_000,
  fragments: (context) => [
    { id: "thresholds", waitsFor: "PostgreSQL and Prometheus", load: () => thresholdsPanel(context) },
    { id: "changes", waitsFor: "PostgreSQL", load: () => changesPanel(context) },
  ],
  page: (_, __, slot) => ({
    title: "Thresholds",
    lead: "From which value on something is worth an alert. For everyone: what fires changes within half a minute.",
    aside: <a href="/alerts">Alerts</a>,
    children: (
      <div class="column">
        {slot("thresholds")}
        {slot("changes")}
      </div>
    ),
  }),
});
