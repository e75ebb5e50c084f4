import type { Scope } from "@vitrine/dashboards/interpolate";

/** What of a dashboard, or of the rules, a query belongs to. */
export type CheckKind = "panel" | "exemplars" | "variable" | "annotation" | "link" | "rule";

/** One query as the gateway is asked it. */
export interface Check {
  readonly kind: CheckKind;
  /** The uid of a dashboard, or the group of a rule. */
  readonly where: string;
  readonly title: string;
  readonly path: string;
  /** A healthy system may have nothing to show: an alert that does not fire, a restart that did not happen. */
  readonly quiet: boolean;
  /** What its engine needs for it, in milliseconds; without, it is measured. */
  readonly evaluationMs?: number;
}

export type Verdict = "ok" | "empty" | "failing" | "slow";

export interface Checked extends Check {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly ms: number;
  /** Labels of the first series that has a value: what a link on it would know. */
  readonly labels: Scope;
}
