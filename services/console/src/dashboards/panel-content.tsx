import type { Panel } from "@vitrine/dashboards/model";
import type { Child } from "hono/jsx";
import type { Ask } from "../engines/ask.ts";
import { chartContent } from "./chart-panel.tsx";
import { logsContent, tracesContent } from "./event-panels.tsx";
import { graphContent } from "./graph-panel.tsx";
import { tableContent } from "./table-panel.tsx";
import { barsContent, statContent } from "./value-panels.tsx";
import type { View } from "./view.ts";

/** What stands in a panel. Who does not answer is named in its place. */
export async function contentOf(ask: Ask, panel: Panel, view: View): Promise<Child> {
  switch (panel.kind) {
    case "timeseries":
    case "heatmap":
      return await chartContent(ask, panel, view);
    case "stat":
      return await statContent(ask, panel, view);
    case "bars":
      return await barsContent(ask, panel, view);
    case "table":
      return await tableContent(ask, panel, view);
    case "logs":
      return await logsContent(ask, panel, view);
    case "traces":
      return await tracesContent(ask, panel, view);
    case "graph":
      return await graphContent(ask, panel, view);
    default:
      return panel satisfies never;
  }
}
