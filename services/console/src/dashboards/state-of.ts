import type { State, Thresholds } from "@vitrine/dashboards/model";
import type { StateKind } from "../views/state.tsx";

const kinds: Readonly<Record<State, StateKind>> = { good: "good", warning: "warn", critical: "bad" };

export function kindOfState(state: State): StateKind {
  return kinds[state];
}

/** What the thresholds of a panel say of a value; nothing where there are none. */
export function stateOf(value: number, thresholds: Thresholds | undefined): StateKind | undefined {
  if (thresholds === undefined || !Number.isFinite(value)) return undefined;
  const reached = thresholds.steps.findLast(({ from }) => value >= from);
  return kindOfState(reached?.state ?? thresholds.base);
}

/** In words, for a state is never told by colour alone. */
export const stateWords: Readonly<Record<StateKind, string>> = {
  good: "good",
  warn: "warning",
  bad: "critical",
  idle: "",
};
