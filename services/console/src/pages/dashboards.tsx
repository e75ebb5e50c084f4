import { dashboards } from "@vitrine/dashboards/all";
import type { Topic } from "@vitrine/dashboards/model";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";
import { Panel } from "../views/panel.tsx";

const topics: Readonly<Record<Topic, string>> = {
  business: "Business",
  services: "Services",
  security: "Security",
  platform: "Platform",
};

export const dashboardsPage = livePage<NoParameters>({
  name: "dashboards",
  path: "/dashboards",
  parameters: noParameters,
  everyMs: 60_000,
  settled: () => true,
  fragments: () => [],
  page: () => ({
    title: "Dashboards",
    lead: "The course of things, each with its way to logs, traces and requests.",
    children: (
      <div class="grid even">
        {(Object.keys(topics) as Topic[]).map((topic) => (
          <Panel title={topics[topic]}>
            <ul class="rows">
              {dashboards
                .filter((dashboard) => dashboard.topic === topic)
                .map(({ uid, title, description }) => (
                  <li>
                    <a class="name" href={`/dashboards/${uid}`}>
                      {title}
                    </a>
                    <p class="small full">{description}</p>
                  </li>
                ))}
            </ul>
          </Panel>
        ))}
      </div>
    ),
  }),
});
