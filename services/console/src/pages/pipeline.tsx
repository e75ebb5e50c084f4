import { hopsPanel, lossesPanel, queuesPanel } from "../admin/pipeline.tsx";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";
import { enginesPanel } from "../overview/engines-panel.tsx";
import { readRunnerState } from "../overview/runner-state.ts";

export const pipelinePage = livePage<NoParameters>({
  name: "pipeline",
  path: "/pipeline",
  parameters: noParameters,
  everyMs: 5_000,
  fragments: (context) => [
    { id: "hops", waitsFor: "the engines", load: () => hopsPanel(context) },
    {
      id: "engines",
      waitsFor: "the engines",
      load: async () =>
        await enginesPanel(context.ask, context.engines, await readRunnerState(context.deps.runnerStateFile)),
    },
    { id: "losses", waitsFor: "Prometheus", load: () => lossesPanel(context) },
    { id: "queues", waitsFor: "Prometheus", load: () => queuesPanel(context) },
  ],
  page: (_, __, slot) => ({
    title: "Pipeline",
    lead: "Does telemetry arrive? Hop by hop, as it is now.",
    children: (
      <div class="grid">
        <div>
          {slot("hops")}
          {slot("losses")}
        </div>
        <div>
          {slot("engines")}
          {slot("queues")}
        </div>
      </div>
    ),
  }),
});
