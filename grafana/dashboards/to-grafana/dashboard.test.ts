import { describe, expect, test } from "bun:test";
import { atMost, type Dashboard, type Link, type Panel } from "../model.ts";
import { toGrafana } from "./dashboard.ts";

const series = { datasource: "prometheus", expr: "up", legend: "{{job}}" } as const;

function panelWith(extra: Partial<Extract<Panel, { kind: "timeseries" }>>): Panel {
  return {
    kind: "timeseries",
    title: "Panel",
    description: "What it shows.",
    width: 12,
    height: 8,
    unit: "s",
    queries: [series],
    links: [],
    ...extra,
  };
}

function dashboardWith(panel: Panel): Dashboard {
  return {
    uid: "vitrine-one",
    title: "One",
    description: "One of two.",
    topic: "services",
    variables: [{ kind: "label", name: "service", title: "Service", label: "service_name", of: "app_up" }],
    annotations: [{ title: "Alert", query: { ...series, expr: "ALERTS" }, state: "critical", quiet: true }],
    rows: [{ title: "Row", panels: [panel] }],
  };
}

const target: Dashboard = {
  ...dashboardWith(panelWith({})),
  uid: "vitrine-two",
  variables: [
    { kind: "label", name: "service", title: "Service", label: "service_name", of: "app_up" },
    { kind: "label", name: "route", title: "Route", label: "http_route", of: "app_up" },
  ],
};

function grafana(panel: Panel) {
  const dashboard = dashboardWith(panel);
  const built = toGrafana(dashboard, [dashboard, target]);
  const found = built.panels?.find(({ type }) => type !== "row");
  if (found === undefined || !("targets" in found)) throw new Error("no panel was made");
  return { built, panel: found };
}

function urlOf(link: Link, kind: Partial<Extract<Panel, { kind: "timeseries" }>> = {}): string {
  return grafana(panelWith({ ...kind, links: [link] })).panel.fieldConfig?.defaults.links?.[0]?.url ?? "";
}

describe("links", () => {
  test("to a dashboard keep the range and what both ends know, and set what the label says", () => {
    const url = urlOf({
      to: "dashboard",
      title: "Two",
      uid: "vitrine-two",
      variables: { route: "${label.http_route}" },
    });
    expect(url).toBe("/d/vitrine-two?${__url_time_range}&${service:queryparam}&var-route=${__field.labels.http_route}");
  });

  test("to logs open Explore over the same range, with several values as a regular expression", () => {
    const url = new URL(
      urlOf({ to: "logs", title: "Logs", expr: '{service_name=~"$service"} | action="${label.action}"' }),
      "http://grafana",
    );
    const { a } = JSON.parse(url.searchParams.get("panes") ?? "");
    expect(a.datasource).toBe("loki");
    expect(a.queries[0].expr).toBe('{service_name=~"${service:regex}"} | action="${__field.labels.action}"');
    expect(a.range).toEqual({ from: "${__from}", to: "${__to}" });
  });

  test("leave what Grafana puts in unencoded", () => {
    expect(urlOf({ to: "logs", title: "Logs", expr: '{service_name=~"$service"}' })).toContain("${service:regex}");
  });

  test("to a page go to the console in a window of its own", () => {
    const { panel } = grafana(panelWith({ links: [{ to: "page", title: "Request", path: "/requests/1" }] }));
    expect(panel.fieldConfig?.defaults.links).toMatchObject([{ url: "${console}/requests/1", targetBlank: true }]);
  });

  test("on a row of a table name the column", () => {
    const { panel } = grafana({
      kind: "table",
      title: "Table",
      description: "What it shows.",
      width: 12,
      height: 8,
      unit: "s",
      labels: [{ name: "service_name", title: "Service" }],
      queries: [series],
      links: [{ to: "page", title: "Service", path: "/services/${label.service_name}" }],
    });
    expect(panel.fieldConfig?.defaults.links?.[0]?.url).toBe('${console}/services/${__data.fields["Service"]}');
  });

  test("on lines of logs are the data source's: only those that name no label are at the head", () => {
    const { panel } = grafana({
      kind: "logs",
      title: "Logs",
      description: "What it shows.",
      width: 24,
      height: 8,
      queries: [{ datasource: "loki", expr: "{}", legend: "" }],
      links: [
        { to: "page", title: "Request", path: "/requests/${label.request_id}" },
        { to: "page", title: "Alerts", path: "/alerts" },
      ],
    });
    expect(panel.links?.map(({ title }) => title)).toEqual(["Alerts"]);
  });
});

describe("panels", () => {
  test("thresholds begin with what is below the first of them", () => {
    const { panel } = grafana(panelWith({ thresholds: atMost(1, 2) }));
    expect(panel.fieldConfig?.defaults.thresholds?.steps).toEqual([
      { value: null, color: "green" },
      { value: 1, color: "orange" },
      { value: 2, color: "red" },
    ]);
  });

  test("a unit of a single query overrides the panel's", () => {
    const { panel } = grafana(panelWith({ queries: [series, { ...series, unit: "bytes" }] }));
    expect(panel.fieldConfig?.overrides).toEqual([
      { matcher: { id: "byFrameRefID", options: "B" }, properties: [{ id: "unit", value: "bytes" }] },
    ]);
  });

  test("values of now are asked for as such, and the range where a way over time is drawn", () => {
    const kinds = (panel: Panel) => grafana(panel).panel.targets?.[0];
    expect(kinds(panelWith({}))).toMatchObject({ range: true, instant: false });
    expect(kinds({ ...panelWith({}), kind: "bars" } as Panel)).toMatchObject({ range: false, instant: true });
    expect(kinds({ ...panelWith({}), kind: "stat", trend: true } as Panel)).toMatchObject({ range: true });
  });

  test("fill the page from the left, and a row begins below all before it", () => {
    const { built } = grafana(panelWith({}));
    expect(built.panels?.map(({ gridPos }) => gridPos)).toEqual([
      { x: 0, y: 0, w: 24, h: 1 },
      { x: 0, y: 1, w: 12, h: 8 },
    ]);
  });
});

test("a dashboard cannot be changed in the browser, and its variables follow the time range", () => {
  const { built } = grafana(panelWith({}));
  expect(built.editable).toBe(false);
  expect(built.templating?.list?.find(({ name }) => name === "service")).toMatchObject({
    query: "label_values(app_up, service_name)",
    refresh: 2,
    multi: true,
    includeAll: true,
  });
});
