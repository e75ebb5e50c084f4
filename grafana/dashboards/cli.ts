import { join } from "node:path";
import { dashboards } from "./all.ts";
import { jsonFiles } from "./to-grafana/files.ts";

// Writes what is committed: `bun grafana/dashboards/cli.ts`, after a change of a dashboard.
await Promise.all(
  [...jsonFiles(dashboards)].map(([name, text]) => Bun.write(join(import.meta.dir, "json", name), text)),
);
