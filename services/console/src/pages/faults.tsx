import { faultsPanel, scenariosPanel } from "../admin/faults.tsx";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";

export const faultsPage = livePage<NoParameters>({
  name: "faults",
  path: "/faults",
  parameters: noParameters,
  scope: "faults:admin",
  everyMs: 5_000,
  fragments: (context) => [
    { id: "faults", waitsFor: "the generator", load: () => faultsPanel(context) },
    { id: "scenarios", waitsFor: "the generator", load: () => scenariosPanel(context) },
  ],
  page: (_, __, slot) => ({
    title: "Faults and scenarios",
    lead: "What can be made to go wrong, to see what it looks like. Everything goes off by itself.",
    children: (
      <div class="grid">
        <div>{slot("faults")}</div>
        <div>{slot("scenarios")}</div>
      </div>
    ),
  }),
});
