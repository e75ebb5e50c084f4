import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { dashboards } from "@vitrine/dashboards/all";
import type { HeatmapPanel, TimeseriesPanel } from "@vitrine/dashboards/model";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "../app.ts";
import { buildAssets } from "../assets/build.ts";
import { blocksOf } from "../alerts/runbook.tsx";
import { dashboardPath } from "../alerts/firing-panel.tsx";
import { startThresholds } from "../testing/start-thresholds.ts";
import { toHeatmap, toLines } from "./chart-data.ts";
import { layOutGraph } from "./graph-layout.ts";
import { placesOf } from "./links.ts";
import { written } from "./units.ts";
import { panelsOf, parseView, searchOf } from "./view.ts";

const now = Date.parse("2026-11-21T08:00:00Z");
const hostile = `<script>1</script>"><img src=x onerror=1> ' \\ {} \u202E`;

let mark: string | undefined;
let issuer: TestIssuer;
let gateway: Server<undefined>;
let app: ReturnType<typeof createApp>;

const labels = (value: string) => {
  const names = ["service_name", "client_id", "http_route", "le", "client", "server", "exporter", "reason"];
  return Object.fromEntries(names.map((name) => [name, name === "le" ? "0.5" : value]));
};

function answer({ pathname, searchParams }: URL): Response {
  if (mark === undefined) return new Response("upstream connect error", { status: 502 });
  if (pathname.endsWith("/values")) return Response.json({ data: [mark] });
  if (pathname.endsWith("/query_exemplars"))
    return Response.json({
      data: [{ exemplars: [{ labels: { trace_id: "0".repeat(32) }, value: "1", timestamp: now / 1_000 }] }],
    });
  if (pathname.startsWith("/jaeger"))
    return Response.json({ data: [{ traceID: "0".repeat(32), spans: [], processes: {} }] });
  const series = {
    metric: labels(mark),
    value: [now / 1_000, "1"],
    values: [[now / 1_000, "1"]],
    stream: labels(mark),
  };
  const isMetric = /^(?:sum|count|max|topk)/.test(searchParams.get("query") ?? "");
  const isLines = pathname.startsWith("/loki") && pathname.endsWith("query_range") && !isMetric;
  return Response.json({
    data: { result: [isLines ? { ...series, values: [[`${now}000000`, mark]] } : series] },
  });
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: ({ url }) => answer(new URL(url)) });
  app = createApp({
    logger: memoryLogger("console").logger,
    readiness: alwaysReady,
    stopping: new AbortController().signal,
    verifier: issuer.verifier,
    thresholds: (await startThresholds()).thresholds,
    assets: await buildAssets(),
    publicUrl: "http://localhost:8080",
    gatewayUrl: gateway.url.origin,
    grafanaUrl: "http://localhost:3000",
    demo: false,
    runnerStateFile: undefined,
    maxUploadBytes: 1_000,
    now: () => now,
  });
});
afterAll(() => gateway.stop(true));

async function get(path: string, scope = "telemetry:read"): Promise<Response> {
  return await app.request(path, { headers: { authorization: `Bearer ${await issuer.sign(scope)}` } });
}

const everyPanel = dashboards.flatMap((dashboard) =>
  panelsOf(dashboard).map(({ title, kind }, at) => [dashboard.uid, title, kind, at] as const),
);

describe.each(everyPanel)("%s: %s (%s)", (uid, _, kind, at) => {
  const path = `/api/console/dashboards/${uid}/panels/${at}`;
  const html = async (): Promise<string> => ((await (await get(path)).json()) as { readonly html: string }).html;

  test("is drawn from what there is, as text whatever it is, and names who is away", async () => {
    for (const value of ["orders", hostile]) {
      mark = value;
      const drawn = await html();
      expect(drawn).not.toContain("<script>1");
      expect(drawn).not.toContain("<img src=x");
      expect(drawn).not.toMatch(/\[object|undefined|>NaN/);
      expect(drawn).not.toContain('class="missing"');
    }
    mark = undefined;
    expect(await html()).toContain(kind === "logs" ? "Loki" : kind === "traces" ? "Jaeger" : "cannot be reached");
  });
});

test("each dashboard is a page, with a place of fixed size for each panel; others are not found", async () => {
  mark = "orders";
  for (const { uid, title } of dashboards) {
    const response = await get(`/dashboards/${uid}`);
    expect(response.status).toBe(200);
    const page = await response.text();
    expect(page).toContain(`<h1>${Bun.escapeHTML(title)}</h1>`);
    for (const [, width, height] of page.matchAll(/panel tile w(\d+) h(\d+)/g))
      expect([css.includes(`.w${width}`), css.includes(`.h${height}`)]).toEqual([true, true]);
  }
  expect((await get("/dashboards/vitrine-nothing")).status).toBe(404);
  expect((await get("/api/console/dashboards/vitrine-orders/panels/999")).status).toBe(404);
  expect((await get("/api/console/dashboards/vitrine-orders/panels/0?from=never")).status).toBe(400);
  expect((await get("/api/console/dashboards/vitrine-orders/panels/0", "orders:read")).status).toBe(403);
});

const css = await Bun.file(new URL("../styles/dashboard.css", import.meta.url)).text();

describe("a view", () => {
  const queries = { last: ["6h"], "var-service": ["orders", "auth"], refresh: ["5s"] };

  test("is made again by its own address", () => {
    const view = parseView("vitrine-service-health", queries, now);
    const search = new URLSearchParams(searchOf(view));
    const again = Object.fromEntries([...search.keys()].map((name) => [name, search.getAll(name)]));
    expect(parseView("vitrine-service-health", again, now)).toEqual(view);
  });

  test("is kept by links: time, and the variables both ends know; a label that is missing is no link", () => {
    const view = parseView("vitrine-service-health", queries, now);
    const toDatabase = { to: "dashboard", title: "Database", uid: "vitrine-database" } as const;
    const logs = { to: "logs", title: "Logs", expr: '{service_name="${label.service_name}"}' } as const;
    expect(placesOf([toDatabase], view, {})[0]?.href).toBe(
      "/dashboards/vitrine-database?last=6h&var-service=orders&var-service=auth",
    );
    expect(placesOf([logs], view, {})).toEqual([]);
    const href = placesOf([logs], view, { service_name: 'a"} | x' })[0]?.href ?? "";
    expect(new URL(href, "http://x").searchParams.get("expr")).toBe('{service_name="a\\"} | x"}');
    const page = { to: "page", title: "Request", path: "/requests/${label.id}" } as const;
    expect(placesOf([page], view, { id: "../x?y" })[0]?.href).toBe("/requests/..%2Fx%3Fy");
  });
});

describe("a chart", () => {
  const view = parseView("vitrine-service-health", {}, now);
  const base = { title: "t", description: "d", width: 8, height: 8, links: [], unit: "s" } as const;
  const query = { datasource: "prometheus", expr: "x", legend: "{{le}}" } as const;

  test("of buckets shows what lies between two of them, and never less than nothing", () => {
    const panel: HeatmapPanel = { ...base, kind: "heatmap", queries: [query] };
    const series = (le: string, value: number) => ({ labels: { le }, points: [[1, value]] as const });
    const { chart } = toHeatmap(panel, view, [[series("+Inf", 9), series("0.1", 4), series("1", 3)]]);
    expect(chart.series.map(({ label, values }) => [label, values])).toEqual([
      ["0.1", [4]],
      ["1", [0]],
      ["Infinity", [6]],
    ]);
  });

  test("of too many lines keeps the largest and says how many are left out; what is no number is a gap", () => {
    const panel: TimeseriesPanel = { ...base, kind: "timeseries", queries: [query] };
    const all = Array.from({ length: 40 }, (_, at) => ({
      labels: { le: String(at) },
      points: [[1, at] as const, [2, Number.NaN] as const],
    }));
    const { chart, omitted } = toLines(panel, view, [all], []);
    expect([chart.series.length, omitted]).toEqual([30, 10]);
    expect(chart.series[0]).toMatchObject({ label: "39", values: [39, null] });
  });
});

test("a graph puts callers left of what they call, circles and calls of oneself included", () => {
  const edges = [
    { from: "user", to: "gateway" },
    { from: "gateway", to: "orders" },
    { from: "orders", to: "gateway" },
    { from: "orders", to: "orders" },
  ];
  const { nodes } = layOutGraph(edges, { nodeWidth: 10, nodeHeight: 10 });
  const x = (name: string) => nodes.get(name)?.x ?? Number.NaN;
  expect(x("user")).toBeLessThan(x("gateway"));
  expect(x("gateway")).toBeLessThan(x("orders"));
  expect(layOutGraph([{ from: "a", to: "a" }], { nodeWidth: 1, nodeHeight: 1 }).nodes.size).toBe(1);
});

test("values are written in their units, and what is no number is a dash", () => {
  expect(written(0.0125, "percentunit")).toBe("1.25 %");
  expect([written(0.0004, "s"), written(0.25, "s"), written(90, "s")]).toEqual(["400 µs", "250 ms", "90 s"]);
  expect([written(1_536, "bytes"), written(1_048_576, "Bps")]).toEqual(["1.5 KiB", "1 MiB/s"]);
  expect([written(1_250_000, "currencyEUR"), written(12, "reqps")]).toEqual(["€1.25M", "12/s"]);
  expect(written(Number.NaN, "none")).toBe("–");
});

test("the address of Grafana in an alert is that of our own drawing; any other is none", () => {
  expect(dashboardPath("/grafana/d/vitrine-database?var-service=orders")).toBe(
    "/dashboards/vitrine-database?var-service=orders",
  );
  for (const other of ["javascript:alert(1)", "https://example.org/d/other", "/d/vitrine-none", undefined])
    expect(dashboardPath(other)).toBeUndefined();
});

test("a runbook is its headings, texts, lists and code", () => {
  expect(blocksOf("# Name\n\n## What\n\ntext `a`\n\n- one\n  more\n- two\n\n```\nx\n```\n")).toEqual([
    { kind: "heading", text: "What" },
    { kind: "text", text: "text `a`" },
    { kind: "list", items: ["one\n  more", "two"] },
    { kind: "code", text: "x" },
  ]);
});
