import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";
import { ordersPanel } from "../overview/business.tsx";
import { enginesPanel } from "../overview/engines-panel.tsx";
import { servicesPanel } from "../overview/health.tsx";
import { readRunnerState } from "../overview/runner-state.ts";
import { alertsPanel, budgetPanel, failuresPanel } from "../overview/trouble.tsx";

export const overviewPage = livePage<NoParameters>({
  name: "overview",
  path: "/",
  parameters: noParameters,
  everyMs: 5_000,
  fragments: (context) => {
    const { ask, engines, deps } = context;
    return [
      { id: "services", waitsFor: "Prometheus", load: () => servicesPanel(context) },
      {
        id: "engines",
        waitsFor: "the engines",
        load: async () => await enginesPanel(ask, engines, await readRunnerState(deps.runnerStateFile)),
      },
      { id: "orders", waitsFor: "Prometheus", load: () => ordersPanel(engines, deps.now()) },
      { id: "alerts", waitsFor: "Alertmanager", load: () => alertsPanel(engines) },
      { id: "budget", waitsFor: "Prometheus", load: () => budgetPanel(engines) },
      { id: "failures", waitsFor: "Loki", load: () => failuresPanel(engines, deps.now()) },
    ];
  },
  page: (_, __, slot) => ({
    title: "Overview",
    lead: "How the house is doing, this minute.",
    children: (
      <div class="grid">
        <div class="wide">
          {slot("services")}
          {slot("orders")}
          {slot("failures")}
        </div>
        <div>
          {slot("alerts")}
          {slot("engines")}
          {slot("budget")}
        </div>
      </div>
    ),
  }),
});
