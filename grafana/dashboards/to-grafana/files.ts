import type { Dashboard } from "../model.ts";
import { toGrafana } from "./dashboard.ts";

/** Name and text of the file of each dashboard, as it is committed and provisioned. */
export function jsonFiles(all: readonly Dashboard[]): ReadonlyMap<string, string> {
  return new Map(
    all.map((dashboard) => [`${dashboard.uid}.json`, `${JSON.stringify(toGrafana(dashboard, all), undefined, 2)}\n`]),
  );
}
