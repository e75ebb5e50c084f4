import { keysPanel, newKeyPanel } from "../admin/keys.tsx";
import { refusedPanel, sendersPanel } from "../admin/senders.tsx";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";

export const clientsPage = livePage<NoParameters>({
  name: "clients",
  path: "/clients",
  parameters: noParameters,
  everyMs: 15_000,
  fragments: (context) => [
    { id: "keys", waitsFor: "auth", load: () => keysPanel(context) },
    { id: "senders", waitsFor: "Prometheus", load: () => sendersPanel(context.engines) },
    { id: "refused", waitsFor: "Prometheus", load: () => refusedPanel(context.engines) },
  ],
  page: ({ person }, _, slot) => ({
    title: "Clients and keys",
    lead: "Who may write telemetry, who does, and who is turned away.",
    children: (
      <div class="column">
        {slot("keys")}
        {person.may("keys:admin") ? newKeyPanel() : null}
        {slot("senders")}
        {slot("refused")}
      </div>
    ),
  }),
});
