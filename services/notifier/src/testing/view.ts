import type { View } from "../message/view.ts";
import { linksOf } from "../message/links.ts";
import type { ToldChange } from "../told-change.ts";

export const publicUrl = "https://vitrine.test";

/** A message about one alert, or as many as there are inputs. */
export function viewOf(...inputs: readonly Partial<ToldChange>[]): View {
  const changes = (inputs.length === 0 ? [{}] : inputs).map((input, index) => {
    const change: ToldChange = {
      alertId: `018f0000-0000-7000-8000-${String(index).padStart(12, "0")}`,
      revision: 1,
      status: "firing",
      reminder: false,
      fingerprint: "00000000000000aa",
      name: "HighErrorRate",
      tier: "critical",
      labels: { alertname: "HighErrorRate", severity: "critical", service_name: "orders" },
      annotations: {
        summary: "orders fails 12 % of its requests",
        description: "More than 5 % were 5xx.",
        runbook_url: "docs/runbooks/HighErrorRate.md",
        dashboard_url: "/grafana/d/vitrine-api-performance?var-service=orders",
      },
      startedAt: "2026-11-21T10:02:00.000Z",
      endedAt: null,
      ...input,
    };
    return Object.assign(change, {
      summary: change.annotations["summary"] ?? change.name,
      description: change.annotations["description"] ?? "",
      firstLook: ["Which route fails?", "Did somebody deploy?"],
      links: linksOf(publicUrl, { ...change, id: change.alertId }),
    });
  });
  return {
    id: "018f0000-0000-7000-8000-00000000ffff",
    tier: changes[0]?.tier ?? "critical",
    createdAt: new Date("2026-11-21T10:03:00Z"),
    groupKey: "{}:{}",
    test: false,
    changes,
  };
}
