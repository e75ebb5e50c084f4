import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { logActions } from "@vitrine/contracts/telemetry";
import { interpolate } from "@vitrine/dashboards/interpolate";
import { scopeOf } from "@vitrine/dashboards/requests";
import { engineNamed } from "../../dev/engines/engines.ts";
import { provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { temporaryDirectory } from "../../dev/engines/testing.ts";
import { dashboardNames } from "./dashboard-metrics.ts";
import { logql, promql } from "./dashboard-queries.ts";
import { contractNames, foreignNames, metricsIn } from "./metric-names.ts";
import { prometheusRules, rulesOf } from "./rule-files.ts";

/**
 * The rules of github.com/grafana/dashboard-linter, over the definitions. Title, description and unit the types ask for.
 * Not followed: a variable for the data source (their uids are provisioned, and links name them), variables and
 * matchers for `job` and `instance` (services are told apart by service_name; an instance lives as long as a process).
 */
const buildTimeoutMs = 45 * 60_000;

const recorded = prometheusRules.flatMap(rulesOf).flatMap(({ record }) => (record === undefined ? [] : [record]));
const known = new Set<string>([
  ...contractNames,
  ...recorded,
  ...Object.values(foreignNames).flat(),
  ...Object.values(dashboardNames).flat(),
]);

/** With numbers in the place of variables. */
function resolved(expr: string): string {
  const range = { fromMs: 0, toMs: 1_800_000 };
  const scope = scopeOf({ range, points: 300, scope: {} }, false);
  return interpolate(interpolate(expr, scope), Object.fromEntries(numbered(expr)));
}

function numbered(expr: string): readonly (readonly [string, string])[] {
  return [...expr.matchAll(/\$(\w+)/g)].map(([, name = ""]) => [name, "1"] as const);
}

const unique = [...new Map(promql.map((text) => [text.expr, text])).values()];

test.each(unique.map(({ place, expr }) => [place, expr] as const))(
  "%s reads only metrics that somebody is known to emit",
  (_, expr) => {
    expect([...metricsIn(resolved(expr))].filter((name) => !known.has(name))).toEqual([]);
  },
);

test("the list of foreign metrics names none that no dashboard reads", () => {
  const read = new Set(promql.flatMap(({ expr }) => Array.from(metricsIn(resolved(expr)))));
  expect(
    Object.values(dashboardNames)
      .flat()
      .filter((name) => !read.has(name)),
  ).toEqual([]);
});

test.each(unique.map(({ place, expr }) => [place, expr] as const))(
  "%s: a rate looks back over $__rate_interval, a counter is read by its growth",
  (_, expr) => {
    const bare = expr.replaceAll(/"[^"]*"/g, "");
    expect(bare).not.toMatch(/\birate\(/);
    for (const [, range] of bare.matchAll(/\brate\([^()[\]]*\[([^\]]+)\]/g)) expect(range).toBe("$__rate_interval");
    const grown = bare.replaceAll(/\b(?:rate|increase)\([^()[\]]*\[/g, "");
    // A selector alone is where a variable finds its values.
    if (!/^\w*(\{[^}]*\})?$/.test(bare)) expect(grown).not.toMatch(/_total\b/);
  },
);

test.each(logql.map(({ place, expr }) => [place, expr] as const))(
  "%s: log lines are counted over $__auto",
  (_, expr) => {
    for (const [, range] of expr.matchAll(/\[([^\]]+)\](?=\))/g))
      if (range?.startsWith("$")) expect(range).toBe("$__auto");
    expect(expr).not.toMatch(/\[\d+[smhd]\]/);
  },
);

test("log queries ask for actions of the contract", () => {
  const asked = logql
    .flatMap(({ expr }) => Array.from(expr.matchAll(/\baction(=~?)"([^"$]+)"/g)))
    .flatMap(([, operator, pattern = ""]) => (operator === "=" ? [pattern] : branchesOf(pattern)));
  const names = Object.keys(logActions);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((pattern) => !names.some((name) => new RegExp(`^(?:${pattern})$`).test(name)))).toEqual([]);
});

/** `a(b|c)|d` to `ab`, `ac` and `d`: each of them must find something. */
function branchesOf(pattern: string): readonly string[] {
  const inner = /^(.*?)\(([^()]*)\)(.*)$/.exec(pattern);
  if (inner === null) return pattern.split("|");
  const [, before = "", alternatives = "", after = ""] = inner;
  return alternatives.split("|").flatMap((one) => branchesOf(before + one + after));
}

describe("PromQL", () => {
  let promtool: string;

  beforeAll(async () => {
    const prometheus = engineNamed("prometheus");
    if (prometheus === undefined) throw new Error("no engine prometheus");
    promtool = (await provideTool(prometheus)).path;
  }, buildTimeoutMs);

  test("is understood by Prometheus, every expression of it", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "dashboards.yaml");
    const rules = unique.map(({ expr }, index) => ({ record: `dashboard:query:${index}`, expr: resolved(expr) }));
    await Bun.write(file, Bun.YAML.stringify({ groups: [{ name: "dashboards", rules }] }, null, 2));
    const { exitCode, stdout, stderr } = await runCommand([promtool, "check", "rules", "--lint=none", file], {
      cwd: directory.path,
      env: Bun.env,
    });
    expect(`${stdout}${stderr}`).toContain(`${rules.length} rules found`);
    expect(exitCode).toBe(0);
  });
});
