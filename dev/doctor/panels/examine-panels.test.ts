import { describe, expect, test } from "bun:test";
import type { Dashboard, Panel } from "@vitrine/dashboards/model";
import type { Checked } from "./check.ts";
import { composeAdvice } from "../advice.ts";
import { examinePanels, type PanelOptions } from "./examine-panels.ts";
import { renderPanelReport, toPanelReport } from "./report.ts";

const panel: Panel = {
  kind: "timeseries",
  title: "Requests",
  description: "What it shows.",
  width: 24,
  height: 8,
  unit: "reqps",
  queries: [{ datasource: "prometheus", expr: 'requests{service_name=~"$service"}', legend: "{{service_name}}" }],
  links: [{ to: "logs", title: "Logs", expr: '{service_name="${label.service_name}"}' }],
};

const dashboard: Dashboard = {
  uid: "vitrine-test",
  title: "Test",
  description: "One of everything.",
  topic: "services",
  variables: [{ kind: "label", name: "service", title: "Service", label: "service_name", of: "app_up" }],
  annotations: [
    { title: "Alert", query: { datasource: "prometheus", expr: "ALERTS", legend: "" }, state: "critical", quiet: true },
  ],
  rows: [{ title: "Row", panels: [panel] }],
};

type Answer = (path: URL) => Response | undefined;

interface World {
  readonly options: PanelOptions;
  readonly asked: readonly URL[];
}

/** A gateway behind which everything is there, but for what `odd` answers. Time passes by sleeping and `spendMs`. */
function world(odd: Answer = () => undefined, shown: Dashboard = dashboard): World & { spendMs: number } {
  const asked: URL[] = [];
  let clock = Date.parse("2026-01-01T00:00:00Z");
  const self = {
    spendMs: 5,
    asked,
    options: {
      gateway: "http://gateway",
      dashboards: [shown],
      rangeMs: 1_800_000,
      advice: composeAdvice,
      token: () => Promise.resolve("token"),
      now: () => clock,
      sleep: (ms: number) => Promise.resolve((clock += ms)),
      fetch: (address: string, init: RequestInit) => {
        const url = new URL(address);
        if (url.pathname === "/health/live") return Promise.resolve(new Response("ok"));
        expect(new Headers(init.headers).get("authorization")).toBe("Bearer token");
        asked.push(url);
        const answer = odd(url) ?? healthy(url);
        clock += self.spendMs;
        return Promise.resolve(answer);
      },
    },
  };
  return self;
}

function healthy(url: URL): Response {
  switch (url.pathname) {
    case "/prometheus/api/v1/rules":
      return prometheusRules(
        { type: "alerting", query: "requests > 5" },
        { type: "recording", query: "sum(requests)" },
      );
    case "/loki/api/v1/rules":
      return new Response(
        'security.yaml:\n  - name: logs\n    rules:\n      - alert: Lines\n        expr: rate({a="b"} [1m]) > 0\n',
      );
    case "/prometheus/api/v1/label/service_name/values":
      return Response.json({ status: "success", data: ["orders"] });
    case "/jaeger/api/traces":
      return Response.json({ data: [{ traceID: "1" }] });
    case "/loki/api/v1/query_range":
      return matrix({ stream: { request_id: "request-1" }, values: [["1", "a line"]] });
    case "/prometheus/api/v1/query":
    case "/loki/api/v1/query":
      return matrix({ metric: { service_name: "orders" }, value: [1, "1"] });
    default:
      return matrix({ metric: { service_name: "orders" }, values: [[1, "1"]] });
  }
}

function matrix(...result: readonly unknown[]): Response {
  return Response.json({ status: "success", data: { resultType: "matrix", result } });
}

function prometheusRules(
  ...rules: readonly { type: string; query: string; health?: string; lastError?: string; evaluationTime?: number }[]
): Response {
  const filled = rules.map(({ health = "ok", evaluationTime = 0.01, ...rule }, index) =>
    Object.assign(rule, { name: `rule${index}`, health, evaluationTime }),
  );
  return Response.json({ status: "success", data: { groups: [{ name: "group", rules: filled }] } });
}

function faults(checks: readonly Checked[]): readonly (readonly [string, string, string])[] {
  return checks.filter(({ verdict }) => verdict !== "ok").map(({ kind, title, verdict }) => [kind, title, verdict]);
}

const isRange: (url: URL) => boolean = ({ pathname }) => pathname === "/prometheus/api/v1/query_range";

function queryOf(url: URL): string {
  return url.searchParams.get("query") ?? "";
}

describe("a system that shows everything", () => {
  test("has no fault, and every variable, annotation, panel, link and rule was asked", async () => {
    const { options } = world();
    const checks = await examinePanels(options);
    expect(faults(checks)).toEqual([]);
    expect(checks.map(({ kind, title }) => `${kind} ${title}`)).toEqual([
      "variable Service",
      "annotation Alert",
      "panel Requests",
      "link Requests: Logs",
      "rule rule0",
      "rule rule1",
      "rule Lines",
    ]);
  });

  test("is asked with variables set to all, and links with the labels of what the panel shows", async () => {
    const { options, asked } = world();
    await examinePanels(options);
    const queries = asked.map(queryOf);
    expect(queries).toContain('requests{service_name=~".+"}');
    expect(queries).toContain('{service_name="orders"}');
  });

  test("is asked once for what two dashboards share", async () => {
    const { options, asked } = world();
    await examinePanels({ ...options, dashboards: [dashboard, { ...dashboard, uid: "vitrine-twin" }] });
    expect(asked.filter((url) => queryOf(url).startsWith("requests{"))).toHaveLength(1);
  });
});

describe("an empty panel", () => {
  test.each([
    ["no series", matrix()],
    ["a series of nothing but NaN", matrix({ metric: {}, values: [[1, "NaN"]] })],
    ["a series without a point", matrix({ metric: {}, values: [] })],
  ])("%s is found", async (_, answer) => {
    const { options } = world((url) =>
      isRange(url) && queryOf(url).startsWith("requests{") ? answer.clone() : undefined,
    );
    expect(faults(await examinePanels(options))).toContainEqual(["panel", "Requests", "empty"]);
  });

  test("zero is something to show", async () => {
    const { options } = world((url) =>
      isRange(url) ? matrix({ metric: { service_name: "a" }, values: [[1, "0"]] }) : undefined,
    );
    expect(faults(await examinePanels(options))).toEqual([]);
  });

  test("an annotation and an alert that are quiet are none, a recorded series that is missing is one", async () => {
    const { options } = world((url) => {
      if (queryOf(url) === "ALERTS") return matrix();
      return url.pathname.endsWith("/query") ? matrix() : undefined;
    });
    expect(faults(await examinePanels(options))).toEqual([["rule", "rule1", "empty"]]);
  });

  test("a link into nothing is found", async () => {
    const { options } = world((url) => (url.pathname === "/loki/api/v1/query_range" ? matrix() : undefined));
    expect(faults(await examinePanels(options))).toEqual([["link", "Requests: Logs", "empty"]]);
  });
});

describe("what fails", () => {
  test("is told with what the engine said", async () => {
    const { options } = world((url) =>
      isRange(url) ? new Response("parse error: unexpected )", { status: 400 }) : undefined,
    );
    const checks = await examinePanels(options);
    expect(checks.find(({ kind }) => kind === "panel")).toMatchObject({
      verdict: "failing",
      detail: "400: parse error: unexpected )",
    });
  });

  test("is also an answer that is none of an engine", async () => {
    const { options } = world((url) => (isRange(url) ? new Response("<html>") : undefined));
    expect(faults(await examinePanels(options))).toContainEqual(["panel", "Requests", "failing"]);
  });

  test("is also no answer, of the lists of rules too", async () => {
    const { options } = world();
    const live = (address: string) => address.endsWith("/health/live");
    const gone: PanelOptions = {
      ...options,
      fetch: (address) =>
        live(address) ? Promise.resolve(new Response("ok")) : Promise.reject(new TypeError("connection refused")),
    };
    const checks = await examinePanels(gone);
    expect(checks.every(({ verdict }) => verdict === "failing")).toBe(true);
    expect(checks.filter(({ kind }) => kind === "rule")).toHaveLength(2);
  });

  test("is a rule Prometheus cannot evaluate, in its words", async () => {
    const rules = () => prometheusRules({ type: "alerting", query: "a", health: "err", lastError: "many-to-many" });
    const { options } = world((url) => (url.pathname === "/prometheus/api/v1/rules" ? rules() : undefined));
    const found = (await examinePanels(options)).filter(({ verdict }) => verdict !== "ok");
    expect(found).toMatchObject([{ kind: "rule", title: "rule0", verdict: "failing", detail: "many-to-many" }]);
  });
});

test("without a gateway nothing is asked, and the mend is named", async () => {
  const { options } = world();
  const gone = { ...options, fetch: () => Promise.reject(new TypeError("connection refused")) };
  expect(examinePanels(gone)).rejects.toThrow("docker compose up");
});

test("what takes longer than a second is slow; of a rule its engine says how long it takes", async () => {
  const rules = () =>
    prometheusRules({ type: "recording", query: "a", evaluationTime: 1.5 }, { type: "recording", query: "b" });
  const slow = world((url) => (url.pathname === "/prometheus/api/v1/rules" ? rules() : undefined));
  slow.spendMs = 1_001;
  const checks = await examinePanels(slow.options);
  expect(checks.filter(({ verdict }) => verdict !== "slow").map(({ title }) => title)).toEqual(["rule1"]);
});

test("what is slow once only is not: something else kept the machine busy", async () => {
  let times = 0;
  const busy = world((url) => {
    busy.spendMs = isRange(url) && queryOf(url).startsWith("requests{") && times++ === 0 ? 2_000 : 5;
    return undefined;
  });
  expect(faults(await examinePanels(busy.options))).toEqual([]);
  expect(times).toBe(2);
});

test("a quota that is used up is waited out, and the wait is not the query's", async () => {
  let refused = 0;
  const { options } = world((url) => (isRange(url) && refused++ < 2 ? new Response("", { status: 429 }) : undefined));
  expect(faults(await examinePanels(options))).toEqual([]);
});

test("a text variable takes a live example, and panels are asked with it", async () => {
  const shown: Dashboard = {
    ...dashboard,
    variables: [
      { kind: "text", name: "id", title: "Id", default: "", example: { expr: '{a="b"}', field: "request_id" } },
    ],
    rows: [
      {
        title: "Row",
        panels: [
          {
            ...panel,
            kind: "logs",
            queries: [{ datasource: "loki", expr: '{a="b"} |= "$id"', legend: "" }],
            links: [],
          },
        ],
      },
    ],
  };
  const { options, asked } = world(undefined, shown);
  expect(faults(await examinePanels(options))).toEqual([]);
  expect(asked.map(queryOf)).toContain('{a="b"} |= "request-1"');
});

test("no more than a few queries are under way at once", async () => {
  const { options } = world();
  let under = 0;
  let most = 0;
  const counting: PanelOptions = {
    ...options,
    dashboards: Array.from({ length: 12 }, (_, index) => ({
      ...dashboard,
      uid: `vitrine-${index}` as const,
      rows: [
        {
          title: "Row",
          panels: [{ ...panel, queries: [{ datasource: "prometheus", expr: `x${index}`, legend: "" }] }],
        },
      ],
    })),
    fetch: async (address, init) => {
      most = Math.max(most, ++under);
      const answer = await options.fetch(address, init);
      under--;
      return answer;
    },
  };
  await examinePanels(counting);
  expect(most).toBe(2);
});

test("the report names what is wrong and where, and how fast panels answer", async () => {
  const { options } = world((url) => (isRange(url) && queryOf(url).startsWith("requests{") ? matrix() : undefined));
  const report = toPanelReport(await examinePanels(options));
  expect(report).toMatchObject({ ok: false, checked: 7, failing: [], slow: [] });
  expect(report.empty).toMatchObject([{ kind: "panel", where: "vitrine-test", title: "Requests" }]);
  expect(renderPanelReport(report)).toContain('requests{service_name=~".+"}');
  expect(renderPanelReport(report)).toContain("0 failing, 1 empty, 0 slow");
});
