import { type Alert, alertsOf, type Rule, type RuleGroups, rulesOf } from "./rule-files.ts";

export interface Mutant {
  /** What the tests of this alert, and hardly any other, contain. */
  readonly mark: string;
  /** What was changed, to be told when nobody noticed. */
  readonly change: string;
  /** A threshold doubled or halved, a window four times as long or a quarter: many more than all others together. */
  readonly isThreshold: boolean;
  readonly groups: RuleGroups["groups"];
}

type Fault = Pick<Mutant, "change" | "isThreshold"> & { readonly rule: Rule };

/** With a number, or with a threshold that another rule records. */
const comparison = /(==|!=|>=|<=|>|<)( *bool)? *(?:(-?\d+(?:\.\d+)?)\b|(?=on \(\w*\) group_left))/g;

/** A range, or how far back something is compared with. */
const span = /(\[|offset )(\d+)([smhd])/g;

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** The default of a threshold that can be set in the console. */
const fallback = /\bvector\((\d+(?:\.\d+)?)\)/;

const opposite: Readonly<Record<string, string>> = {
  "==": "!=",
  "!=": "==",
  ">": "<=",
  "<": ">=",
  ">=": "<",
  "<=": ">",
};

/**
 * Every alert with one comparison turned round, one threshold doubled or halved, one window made longer or shorter, or its
 * patience taken away, and every recorded threshold without what was set in the console or with another default.
 */
export function mutantsOf(file: RuleGroups): readonly Mutant[] {
  return [...alertMutants(file), ...thresholdMutants(file)];
}

function thresholdMutants(file: RuleGroups): readonly Mutant[] {
  return rulesOf(file).flatMap((rule) => {
    const { record, expr } = rule;
    const [whole = "", number = ""] = fallback.exec(expr) ?? [];
    if (record?.startsWith("threshold:") !== true || whole === "") return [];
    return [whole, `vector(${Number(number) * 2})`, `vector(${Number(number) / 2})`].map((changed, index) => ({
      mark: record,
      change: `${record}: ${index === 0 ? "never what was set" : `${whole} -> ${changed}`}`,
      isThreshold: index > 0,
      groups: withRule(file, rule, { ...rule, expr: index === 0 ? whole : expr.replace(whole, changed) }),
    }));
  });
}

function alertMutants(file: RuleGroups): readonly Mutant[] {
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
  for (const { 0: whole, 1: sign = "", 3: number = "0", index } of alert.expr.matchAll(comparison)) {
    const add = (text: string, isThreshold: boolean): void => {
      const expr = alert.expr.slice(0, index) + text + alert.expr.slice(index + whole.length);
      faults.push({ change: `${whole} -> ${text}`, isThreshold, rule: { ...alert, expr } });
    };
    add(whole.replace(sign, opposite[sign] ?? sign), false);
    // Twice nothing is nothing, and a recorded threshold has mutants of its own.
    if (Number(number) === 0) continue;
    add(whole.replace(number, String(Number(number) * 2)), true);
    add(whole.replace(number, String(Number(number) / 2)), true);
  }
  // Longer, what is over is told on and on; shorter, what is slow or rare is not told.
  for (const { 0: whole, 1: before = "", 2: number = "", 3: unit = "", index } of alert.expr.matchAll(span))
    for (const factor of [4, 0.25]) {
      const text = `${before}${Math.round(Number(number) * (secondsIn[unit] ?? 1) * factor)}s`;
      const expr = alert.expr.slice(0, index) + text + alert.expr.slice(index + whole.length);
      faults.push({ change: `${whole} -> ${text}`, isThreshold: true, rule: { ...alert, expr } });
    }
  return faults;
}

function withRule(file: RuleGroups, original: Rule, changed: Rule): RuleGroups["groups"] {
  const isIt = (rule: Rule): boolean =>
    rule.alert === original.alert && rule.record === original.record && rule.expr === original.expr;
  return file.groups.map((group) => ({ ...group, rules: group.rules.map((rule) => (isIt(rule) ? changed : rule)) }));
}
