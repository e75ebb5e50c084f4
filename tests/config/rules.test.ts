import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { logActions, tokenRefusals } from "@vitrine/contracts/telemetry";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { contractNames, foreignNames, metricsIn } from "./metric-names.ts";
import { alertsOf, lokiRules, prometheusRules, rulesOf } from "./rule-files.ts";

const files = [...prometheusRules, ...lokiRules];
const alerts = files.flatMap(alertsOf);
const recorded = new Set(
  prometheusRules.flatMap(rulesOf).flatMap(({ record }) => (record === undefined ? [] : [record])),
);
const known = new Set<string>([...contractNames, ...Object.values(foreignNames).flat(), ...recorded]);

/** What fires at the first sign, and why it must not wait. */
const withoutFor: Readonly<Record<string, string>> = {
  Watchdog: "it always fires",
};

describe.each(alerts.map((alert) => [alert.alert, alert] as const))("%s", (name, { annotations = {}, ...alert }) => {
  test("has a tier, a summary with its value, a description and a page to look at", () => {
    expect(["critical", "warning", "info"]).toContain(alert.labels?.["severity"] ?? "");
    expect(annotations["summary"]).toContain("{{ $value");
    expect(annotations["description"]?.length).toBeGreaterThan(30);
    expect(annotations["dashboard_url"]).toMatch(/^\/grafana\/d\/vitrine-[a-z-]+(\?\S.*)?$/);
  });

  test("waits before it fires, or says why not", () => {
    expect(alert.for === undefined).toBe(name in withoutFor);
  });

  test("has a runbook that says what it means, where to look first and how to mend it", async () => {
    expect(annotations["runbook_url"]).toBe(`docs/runbooks/${name}.md`);
    const runbook = await Bun.file(join(repositoryRoot, annotations["runbook_url"] ?? "")).text();
    expect(runbook).toStartWith(`# ${name}\n`);
    for (const heading of ["What it means", "First look", "Mend"]) expect(runbook).toContain(`\n## ${heading}\n`);
  });
});

test("every runbook belongs to an alert", () => {
  const names = new Set(alerts.map(({ alert }) => `${alert}.md`));
  const pages = readdirSync(join(repositoryRoot, "docs/runbooks")).filter((page) => page !== "README.md");
  expect(pages.filter((page) => !names.has(page))).toEqual([]);
});

test.each([...prometheusRules])("$name reads only metrics that somebody is known to emit", (file) => {
  const read = rulesOf(file).flatMap(({ expr }) => Array.from(metricsIn(expr)));
  expect(read.filter((name) => !known.has(name))).toEqual([]);
});

test("the list of foreign metrics names none that no rule reads", () => {
  const read = new Set(prometheusRules.flatMap(rulesOf).flatMap(({ expr }) => Array.from(metricsIn(expr))));
  expect(
    Object.values(foreignNames)
      .flat()
      .filter((name) => !read.has(name)),
  ).toEqual([]);
});

test("every recorded name is level:metric:operation, but for the compatible ones", () => {
  const odd = prometheusRules
    .filter(({ name }) => name !== "compatibility.rules.yaml")
    .flatMap(rulesOf)
    .flatMap(({ record }) =>
      record === undefined || /^[a-z_]+:[a-z0-9_]+(:[a-z0-9_]+)?$/.test(record) ? [] : [record],
    );
  expect(odd).toEqual([]);
});

test("what dashboards of sign-ins commonly ask for has its name, and counts every reason to refuse a token", () => {
  for (const name of [
    "auth_attempts_total",
    "auth_failures_total",
    "twofa_attempts_total",
    "twofa_changes_total",
    "active_sessions",
    "jwt_validation_failures_total",
    "authorization_violations_total",
    "password_changes_total",
  ])
    expect(known).toContain(name);
  const refusals = prometheusRules.flatMap(rulesOf).find(({ record }) => record === "jwt_validation_failures_total");
  const [, reasons = ""] = /reason=~"([^"]+)"/.exec(refusals?.expr ?? "") ?? [];
  expect(reasons.split("|")).toEqual([...tokenRefusals]);
});

test("a group's name is its own", () => {
  const names = files.flatMap(({ groups }) => groups.map(({ name }) => name));
  expect(names.toSorted()).toEqual([...new Set(names)].sort());
});

test("log rules ask for actions of the contract", () => {
  const asked = lokiRules
    .flatMap(rulesOf)
    .flatMap(({ expr }) => Array.from(expr.matchAll(/action=~?"([^"]+)"/g)))
    .flatMap(([, names = ""]) => names.split("|"));
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => !(name in logActions))).toEqual([]);
});

test("log rules do without keep_firing_for, which Loki takes and ignores", async () => {
  for (const { path } of lokiRules) expect(await Bun.file(path).text()).not.toContain("keep_firing_for");
});

describe("metricsIn", () => {
  test.each([
    ['sum by (a) (rate(x_total{b=~"c|d"}[5m])) > 0.5', ["x_total"]],
    ["a:b:c * 300 > 8 and on (x) group_left () y", ["a:b:c", "y"]],
    ['sum({__name__=~"p_(q|r)_s", t="u"} offset 5m)', ["p_q_s", "p_r_s"]],
    ['label_replace(up == 0, "a", "$1", "b", "(.+)") unless on () (max(time() - z{j="k"}) < bool 90)', ["up", "z"]],
  ])("%s", (expression, names) => {
    expect([...metricsIn(expression)].sort()).toEqual(names);
  });
});
