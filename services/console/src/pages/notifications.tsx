import { deliveriesPanel } from "../admin/deliveries.tsx";
import { newTargetPanels, targetsPanel } from "../admin/targets.tsx";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";

export const notificationsPage = livePage<NoParameters>({
  name: "notifications",
  path: "/notifications",
  parameters: noParameters,
  scope: "alerts:admin",
  everyMs: 10_000,
  fragments: (context) => [
    { id: "targets", waitsFor: "the notifier", load: () => targetsPanel(context) },
    {
      id: "dead",
      waitsFor: "the notifier",
      load: () => deliveriesPanel(context, { title: "Given up", state: "dead", empty: "No message was given up." }),
    },
    {
      id: "deliveries",
      waitsFor: "the notifier",
      load: () => deliveriesPanel(context, { title: "Messages", empty: "Nobody was told of anything yet." }),
    },
  ],
  page: (_, __, slot) => ({
    title: "Notifications",
    lead: "Whom alerts are told, and whether they were.",
    aside: <a href="/alerts">Alerts</a>,
    children: (
      <div class="grid">
        <div>
          {slot("targets")}
          {newTargetPanels()}
        </div>
        <div>
          {slot("dead")}
          {slot("deliveries")}
        </div>
      </div>
    ),
  }),
});
