import { type Asking, instantPath } from "@vitrine/dashboards/requests";
import { z } from "zod";
import type { Check, Checked } from "./check.ts";

const prometheusRules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(
          z.object({
            type: z.enum(["alerting", "recording"]),
            name: z.string(),
            query: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            evaluationTime: z.number(),
          }),
        ),
      }),
    ),
  }),
});

const lokiRules = z.record(
  z.string(),
  z.array(
    z.object({
      name: z.string(),
      rules: z.array(z.object({ alert: z.string().optional(), record: z.string().optional(), expr: z.string() })),
    }),
  ),
);

export const prometheusRulesPath = "/prometheus/api/v1/rules";
export const lokiRulesPath = "/loki/api/v1/rules";

/** Recorded series that a healthy system has none of: of counters whose first event is one too many. */
const quietRecords: ReadonlySet<string> = new Set([
  "auth_failures_total",
  "authorization_violations_total",
  "jwt_validation_failures_total",
  "password_changes_total",
  "reason:gateway_refusals:increase5m",
  "service:heartbeat:missing",
]);

/** One check for each rule Prometheus runs, and its own word on those it cannot evaluate. */
export function prometheusRuleChecks(
  text: string,
  asking: Asking,
): { readonly checks: readonly Check[]; readonly judged: readonly Checked[] } {
  const rules = prometheusRules
    .parse(JSON.parse(text))
    .data.groups.flatMap((group) => group.rules.map((rule) => ({ ...rule, group: group.name })));
  const checks = rules.map(({ name, query, type, group, evaluationTime }) => ({
    kind: "rule" as const,
    where: group,
    title: name,
    path: instantPath({ datasource: "prometheus", expr: query, legend: "" }, asking),
    quiet: type === "alerting" || quietRecords.has(name),
    evaluationMs: evaluationTime * 1_000,
  }));
  const judged = rules.flatMap(({ name, group, health, lastError, evaluationTime }) => {
    const base = {
      kind: "rule",
      where: group,
      title: name,
      path: prometheusRulesPath,
      quiet: false,
      labels: {},
    } as const;
    const ms = evaluationTime * 1_000;
    if (health === "err")
      return [{ ...base, verdict: "failing" as const, detail: lastError ?? "cannot be evaluated", ms }];
    return [];
  });
  return { checks, judged };
}

/** One check for each rule Loki runs; it lists them as YAML, by file. */
export function lokiRuleChecks(text: string, asking: Asking): readonly Check[] {
  return Object.values(lokiRules.parse(Bun.YAML.parse(text))).flatMap((groups) =>
    groups.flatMap((group) =>
      group.rules.map(({ alert, record, expr }) => ({
        kind: "rule" as const,
        where: group.name,
        title: alert ?? record ?? expr,
        path: instantPath({ datasource: "loki", expr, legend: "" }, asking),
        quiet: record === undefined,
      })),
    ),
  );
}
