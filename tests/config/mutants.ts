import { type Alert, alertsOf, type Rule, type RuleGroups } from "./rule-files.ts";

export interface Mutant {
  /** What the tests of this alert, and hardly any other, contain. */
  readonly mark: string;
  /** What was changed, to be told when nobody noticed. */
  readonly change: string;
  /** A threshold doubled or halved: as many as all others together. */
  readonly isThreshold: boolean;
  readonly groups: RuleGroups["groups"];
}

type Fault = Pick<Mutant, "change" | "isThreshold"> & { readonly rule: Rule };

const comparison = /(==|!=|>=|<=|>|<)( *bool)? *(-?\d+(?:\.\d+)?)\b/g;

const opposite: Readonly<Record<string, string>> = {
  "==": "!=",
  "!=": "==",
  ">": "<=",
  "<": ">=",
  ">=": "<",
  "<=": ">",
};

/** Every alert with one comparison turned round, one threshold doubled or halved, or its patience taken away. */
export function mutantsOf(file: RuleGroups): readonly Mutant[] {
  return alertsOf(file).flatMap((alert) => {
    const window = alert.labels?.["window"];
    return faultsOf(alert).map(({ change, isThreshold, rule }) => ({
      mark: window === undefined ? alert.alert : `window="${window}"`,
      change: `${alert.alert}${window === undefined ? "" : ` (${window})`}: ${change}`,
      isThreshold,
      groups: withRule(file, alert, rule),
    }));
  });
}

function faultsOf(alert: Alert): readonly Fault[] {
  const { for: patience, ...impatient } = alert;
  const faults: Fault[] = [];
  if (patience !== undefined)
    faults.push({ change: `for ${patience} -> at once`, isThreshold: false, rule: impatient });
  for (const { 0: whole, 1: sign = "", 3: number = "", index } of alert.expr.matchAll(comparison)) {
    const add = (text: string, isThreshold: boolean): void => {
      const expr = alert.expr.slice(0, index) + text + alert.expr.slice(index + whole.length);
      faults.push({ change: `${whole} -> ${text}`, isThreshold, rule: { ...alert, expr } });
    };
    add(whole.replace(sign, opposite[sign] ?? sign), false);
    // Twice nothing is nothing.
    if (Number(number) === 0) continue;
    add(whole.replace(number, String(Number(number) * 2)), true);
    add(whole.replace(number, String(Number(number) / 2)), true);
  }
  return faults;
}

function withRule(file: RuleGroups, alert: Alert, changed: Rule): RuleGroups["groups"] {
  const isIt = (rule: Rule): boolean => rule.alert === alert.alert && rule.expr === alert.expr;
  return file.groups.map((group) => ({ ...group, rules: group.rules.map((rule) => (isIt(rule) ? changed : rule)) }));
}
