import { annotations, dashboardLink, prometheus, sized } from "./common.ts";
import { atLeast, atMost, type Dashboard, type Link, type Variable } from "./model.ts";

const slo: Variable = { kind: "label", name: "slo", title: "Objective", label: "slo", of: "slo:objective" };
const chosen = 'slo=~"$slo"';

const thisObjective: Link = dashboardLink("This objective", "vitrine-slo", { slo: "${label.slo}" });
const performance: Link = dashboardLink("API performance", "vitrine-api-performance", {
  service: "${label.service_name}",
});
const badEvents: Link = {
  to: "logs",
  title: "Failures in the logs",
  expr: '{service_name="${label.service_name}"} | detected_level=~"warn|error|fatal"',
  quiet: true,
};

export const slos: Dashboard = {
  uid: "vitrine-slo",
  title: "SLOs and error budgets",
  description: "What was promised, what was kept, and how fast the allowance for failures is being used up.",
  topic: "services",
  variables: [slo],
  annotations,
  rows: [
    {
      title: "Budgets",
      panels: [
        {
          kind: "bars",
          title: "Error budget left",
          description: "Of the failures seven days allow. Below zero the promise is broken.",
          ...sized("half", 9),
          unit: "percentunit",
          max: 1,
          thresholds: atLeast(0.25, 0.5),
          queries: [prometheus("{{slo}} · {{service_name}}", `slo:error_budget_remaining:ratio_7d{${chosen}}`)],
          links: [thisObjective, performance],
        },
        {
          kind: "table",
          title: "Objectives",
          description:
            "What share of events must be good, what share was over seven days, and how fast the budget goes now.",
          ...sized("half", 9),
          unit: "percentunit",
          labels: [
            { name: "slo", title: "Objective" },
            { name: "service_name", title: "Service" },
          ],
          queries: [
            prometheus(
              "Promised",
              `sum by (slo, service_name) (slo:events:rate5m{${chosen}} * 0 + on (slo) group_left () slo:objective)`,
            ),
            prometheus(
              "Kept",
              `1 - sum by (slo, service_name) (sum_over_time(slo:bad_events:rate5m{${chosen}}[7d])) / sum by (slo, service_name) (sum_over_time(slo:events:rate5m{${chosen}}[7d]) > 0)`,
            ),
            prometheus("Budget left", `sum by (slo, service_name) (slo:error_budget_remaining:ratio_7d{${chosen}})`),
            prometheus("Burn rate", `sum by (slo, service_name) (slo:burn_rate:1h{${chosen}})`, { unit: "none" }),
          ],
          links: [thisObjective, performance],
        },
      ],
    },
    {
      title: "Burn rates",
      panels: [
        {
          kind: "timeseries",
          title: "Fast: over one hour",
          description:
            "1 uses the budget up exactly in its period. Above 14.4 somebody is called: two days' worth of failures left.",
          ...sized("half", 9),
          unit: "none",
          min: 0,
          thresholds: atMost(6, 14.4),
          queries: [prometheus("{{slo}} · {{service_name}}", `slo:burn_rate:1h{${chosen}}`)],
          links: [thisObjective, badEvents],
        },
        {
          kind: "timeseries",
          title: "Slow: over six hours",
          description: "Above 6 somebody is called, above 1 the budget will not last.",
          ...sized("half", 9),
          unit: "none",
          min: 0,
          thresholds: atMost(1, 6),
          queries: [prometheus("{{slo}} · {{service_name}}", `slo:burn_rate:6h{${chosen}}`)],
          links: [thisObjective, badEvents],
        },
      ],
    },
    {
      title: "Events",
      panels: [
        {
          kind: "timeseries",
          title: "Events",
          description: "What an objective counts, per second: a burn rate without traffic says nothing.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          queries: [prometheus("{{slo}} · {{service_name}}", `slo:events:rate5m{${chosen}}`)],
          links: [thisObjective, performance],
        },
        {
          kind: "timeseries",
          title: "Bad events",
          description: "Those among them that broke the promise, per second.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          queries: [prometheus("{{slo}} · {{service_name}}", `slo:bad_events:rate5m{${chosen}}`)],
          links: [thisObjective, badEvents],
        },
      ],
    },
  ],
};
