import { legendOf } from "@vitrine/dashboards/interpolate";
import type { Annotation } from "@vitrine/dashboards/model";
import { linesPath, stepSeconds } from "@vitrine/dashboards/requests";
import type { Ask } from "../engines/ask.ts";
import { streams, toEntries, toMs } from "../engines/loki.ts";
import { visible } from "../views/format.tsx";
import type { StateKind } from "../views/state.tsx";
import { askRange } from "./ask.ts";
import { kindOfState } from "./state-of.ts";
import type { View } from "./view.ts";

/** Something that happened, drawn over every chart. */
export interface Happened {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly kind: StateKind;
}

const maxHappened = 60;
const maxText = 120;

/** What happened in the span of a view. Who is not there has nothing to tell. */
export async function happenedIn(ask: Ask, view: View): Promise<readonly Happened[]> {
  const found = await Promise.all(view.dashboard.annotations.map((annotation) => look(ask, annotation, view)));
  return found
    .flat()
    .toSorted((a, b) => b.at - a.at)
    .slice(0, maxHappened);
}

async function look(ask: Ask, { query, state, title }: Annotation, { asking }: View): Promise<readonly Happened[]> {
  const told = (at: number, labels: Readonly<Record<string, string>>): Happened => ({
    at,
    text: visible(`${title}: ${legendOf(query.legend, labels)}`, maxText),
    kind: kindOfState(state),
  });
  if (query.datasource === "loki") {
    const answer = await ask({ source: "loki", path: linesPath(query.expr, asking), answer: streams });
    return answer.ok ? toEntries(answer.value).map(({ timeNs, fields }) => told(toMs(timeNs) / 1_000, fields)) : [];
  }
  const answer = await askRange(ask, query, asking);
  if (!answer.ok) return [];
  const step = stepSeconds(asking);
  // A series is there while something lasts: it began where there is no point before.
  return answer.value.flatMap(({ labels, points }) =>
    points.filter(([at], index) => at - (points[index - 1]?.[0] ?? 0) > 1.5 * step).map(([at]) => told(at, labels)),
  );
}
