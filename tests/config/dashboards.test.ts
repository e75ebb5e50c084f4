import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { currencies } from "@vitrine/contracts/money";
import { dashboards } from "@vitrine/dashboards/all";
import type { Dashboard } from "@vitrine/dashboards/model";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { pages } from "../../services/console/src/pages/pages.ts";
import { routes } from "../../services/gateway/src/routes/table.ts";
import { links, logql, placedPanels, promql } from "./dashboard-queries.ts";
import { alertsOf, lokiRules, prometheusRules, rulesOf } from "./rule-files.ts";

const byUid: ReadonlyMap<string, Dashboard> = new Map(dashboards.map((dashboard) => [dashboard.uid, dashboard]));

/** Names Grafana gives a meaning to. */
const builtIn = ["__rate_interval", "__range", "__range_s", "__auto"];

function variablesIn(text: string): readonly string[] {
  const names: string[] = [];
  for (const [, braced, bare] of text.matchAll(/\$(?:\{([\w.]+)\}|([A-Za-z_]\w*))/g)) names.push(braced ?? bare ?? "");
  return names;
}

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))("%s", (_, dashboard) => {
  test("says what it is for, and knows what happened", () => {
    expect(dashboard.description.length).toBeGreaterThan(40);
    expect(dashboard.annotations.map(({ title }) => title)).toEqual(["Started", "Alert", "Fault"]);
  });

  test("has panels that stand in full lines of one height", () => {
    for (const { panels } of dashboard.rows) {
      let width = 0;
      let height = panels[0]?.height;
      for (const panel of panels) {
        if (width === 0) height = panel.height;
        expect(panel.height, panel.title).toBe(height ?? 0);
        width = (width + panel.width) % 24;
      }
      expect(width).toBe(0);
    }
  });

  test("has a title of its own for every panel", () => {
    const titles = dashboard.rows.flatMap(({ panels }) => panels.map(({ title }) => title));
    expect(titles.toSorted()).toEqual([...new Set(titles)].sort());
  });

  test("uses every variable it has", () => {
    const texts = [...promql, ...logql].filter((text) => text.dashboard === dashboard).map(({ expr }) => expr);
    const searches = dashboard.rows.flatMap(({ panels }) => panels.map(({ queries }) => JSON.stringify(queries)));
    const used = new Set([...texts, ...searches].flatMap(variablesIn));
    expect(dashboard.variables.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });
});

test("there are dashboards, and each has a uid and a title of its own", () => {
  expect(byUid.size).toBe(dashboards.length);
  expect(new Set(dashboards.map(({ title }) => title)).size).toBe(dashboards.length);
});

test.each(placedPanels.map(({ place, panel }) => [place, panel] as const))(
  "%s: described in a sentence, and leads somewhere",
  (_, panel) => {
    expect(panel.description).toMatch(/^.{19,}[.?]$/);
    expect(panel.links.length).toBeGreaterThan(0);
    expect(panel.queries.length).toBeGreaterThan(0);
  },
);

test.each([...promql, ...logql].map(({ place, expr, dashboard }) => [place, expr, dashboard] as const))(
  "%s: %s names only variables there are",
  (_, expr, dashboard) => {
    const known = new Set([...builtIn, ...dashboard.variables.map(({ name }) => name)]);
    expect(variablesIn(expr).filter((name) => !known.has(name) && !name.startsWith("label."))).toEqual([]);
  },
);

describe("links", () => {
  const leading = links.map((link) => [link.place, link] as const);

  test.each(leading.filter(([, { link }]) => link.to === "dashboard"))(
    "%s: to a dashboard that has the variables",
    (_, { link }) => {
      if (link.to !== "dashboard") return;
      const target = byUid.get(link.uid);
      expect(target?.uid).toBe(link.uid);
      const names = target?.variables.map(({ name }) => name) ?? [];
      expect(Object.keys(link.variables ?? {}).filter((name) => !names.includes(name))).toEqual([]);
    },
  );

  test.each(leading.filter(([, { link }]) => link.to === "page"))("%s: to a page the console has", (_, { link }) => {
    const [, first] = link.to === "page" ? link.path.split("/") : [];
    expect(pages.map(({ path }) => path.split("/")[1])).toContain(first ?? "");
  });

  /** Labels the clicked thing has: those the legend or the columns show. Lines have all their fields. */
  test.each(leading.filter(([, { panel }]) => panel.kind !== "logs" && panel.kind !== "traces"))(
    "%s: names only labels that what is clicked has",
    (_, { panel, link }) => {
      const shown =
        panel.kind === "table"
          ? panel.labels.map(({ name }) => name)
          : panel.queries.flatMap((query) =>
              "legend" in query ? [...query.legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "") : [],
            );
      const named = variablesIn(JSON.stringify(link)).flatMap((name) =>
        name.startsWith("label.") ? [name.slice(6)] : [],
      );
      expect(named.filter((name) => !shown.includes(name))).toEqual([]);
    },
  );
});

test("every alert leads to a dashboard that is there, with variables it has", () => {
  const alerts = [...prometheusRules, ...lokiRules].flatMap(alertsOf);
  const faults = alerts.flatMap(({ alert, annotations = {} }) => {
    const [, uid = "", search = ""] =
      /^\/grafana\/d\/([\w-]+)(?:\?(.*))?$/.exec(annotations["dashboard_url"] ?? "") ?? [];
    const names = byUid.get(uid)?.variables.map(({ name }) => `var-${name}`);
    const asked = search === "" ? [] : search.split("&").map((pair) => pair.split("=")[0] ?? "");
    return names === undefined || asked.some((name) => !names.includes(name)) ? [`${alert}: ${uid} ${search}`] : [];
  });
  expect(alerts.length).toBeGreaterThan(0);
  expect(faults).toEqual([]);
});

test("there is a reference rate for every currency there can be", () => {
  const rates = prometheusRules.flatMap(rulesOf).filter(({ record }) => record === "currency:euros:reference");
  expect(rates.map(({ labels }) => labels?.["currency"] ?? "").sort()).toEqual(currencies.toSorted());
});

test("docs/dashboards.md lists every dashboard, and says of each what it says itself", async () => {
  const text = await Bun.file(join(repositoryRoot, "docs/dashboards.md")).text();
  const rows = [...text.matchAll(/^\| (.+?) +\| `(vitrine-[a-z-]+)` +\| (.+?) +\|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(dashboards.map(({ title, uid, description }) => [title, uid, description]));
});

test("what dashboards ask is open at the gateway", () => {
  const open = new Set(routes.map(({ path }) => path));
  for (const path of [
    "/prometheus/api/v1/query",
    "/prometheus/api/v1/query_range",
    "/prometheus/api/v1/query_exemplars",
    "/prometheus/api/v1/label/*/values",
    "/loki/api/v1/query",
    "/loki/api/v1/query_range",
    "/jaeger/api/traces",
  ])
    expect(open).toContain(path);
});
