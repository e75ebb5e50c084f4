import { join } from "node:path";
import { dashboards } from "./all.ts";
import { jsonFiles } from "./to-grafana/files.ts";

// Writes what is committed: `bun grafana/dashboards/cli.ts`, after a change of a dashboard.
const folder = join(import.meta.dir, "json");
await Promise.all([...jsonFiles(dashboards)].map(([name, text]) => Bun.write(join(folder, name), text)));
await Bun.$`${process.execPath} fmt ${folder}`.quiet();
