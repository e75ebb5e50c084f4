import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "@vitrine/kit/testing/eventually";
import { spansOf } from "./engine-answers.ts";
import { stackTimeoutMs, startTelemetryStack, type TelemetryStack } from "./telemetry-stack.ts";

let stack: TelemetryStack;
let headers: Record<string, string>;
const traceId = "0af7651916cd43dd8448eb211c80319c";

beforeAll(async () => {
  stack = await startTelemetryStack();
  // What Grafana's backend sends with the requests of a data source, beside the header the data source is given.
  headers = {
    authorization: `Bearer ${await stack.token("telemetry:read", "grafana")}`,
    "accept-encoding": "gzip",
    "user-agent": "Grafana/12.3.0",
    "x-grafana-org-id": "1",
    "x-datasource-uid": "prometheus",
    "x-dashboard-uid": "overview",
    "x-panel-id": "4",
    "x-query-group-id": "0b1f2c7e",
    fromalert: "false",
  };
  await seed();
}, stackTimeoutMs);
afterAll(() => stack?.stop());

async function seed(): Promise<void> {
  const now = `${BigInt(Date.now()) * 1_000_000n}`;
  const span = { traceId, spanId: "b7ad6b7169203331", name: "seeded", startTimeUnixNano: now, endTimeUnixNano: now };
  const write = {
    authorization: `Bearer ${await stack.token("telemetry:write", "seeder")}`,
    "content-type": "application/json",
  };
  const bodies = {
    traces: { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] },
    logs: { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: now, body: { stringValue: "seeded" } }] }] }] },
  };
  for (const [signal, body] of Object.entries(bodies)) {
    const answer = await fetch(`${stack.otlp}/v1/${signal}`, {
      method: "POST",
      headers: write,
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
  }
  await eventually(
    "the seeded span",
    30_000,
    async () => (await spansOf(stack.jaeger, "seeder")).length > 0 || undefined,
  );
}

const seconds = Math.floor(Date.now() / 1_000);
const range = { start: String(seconds - 3_600), end: String(seconds) };
const nanoseconds = { start: `${seconds - 3_600}000000000`, end: `${seconds + 60}000000000` };
const selector = '{service_name="seeder"}';
const form = (fields: Record<string, string>) => new URLSearchParams(fields);

test.each([
  ["health check", "/api/v1/query", { query: "1+1", time: String(seconds) }],
  ["a graph", "/api/v1/query_range", { query: "rate(up[1m])", step: "15", ...range }],
  ["exemplars", "/api/v1/query_exemplars", { query: "up", ...range }],
  ["label names", "/api/v1/labels", { "match[]": "up", ...range }],
  ["series", "/api/v1/series", { "match[]": "up", ...range }],
])("Grafana's Prometheus data source, POST: %s", async (_, path, fields) => {
  const body = form(fields);
  await answers(`/prometheus${path}`, { method: "POST", body });
});

test.each([
  ["the kind of server", "/api/v1/status/buildinfo"],
  ["label values", `/api/v1/label/__name__/values?${form({ "match[]": "up", limit: "40000", ...range })}`],
  ["metadata", "/api/v1/metadata?limit_per_metric=10"],
  ["rules", "/api/v1/rules?type=alert"],
  ["an instant query by GET", `/api/v1/query?${form({ query: "up" })}`],
])("Grafana's Prometheus data source, GET: %s", (_, path) => answers(`/prometheus${path}`));

test.each([
  [
    "health check",
    `query?${form({ direction: "backward", query: "vector(1)+vector(1)", time: `${seconds}000000000` })}`,
  ],
  [
    "lines",
    `query_range?${form({ direction: "backward", query: selector, limit: "1000", step: "15s", ...nanoseconds })}`,
  ],
  [
    "a histogram",
    `query_range?${form({ query: `sum(count_over_time(${selector}[1m]))`, step: "60000ms", ...nanoseconds })}`,
  ],
  ["labels", `labels?${form(nanoseconds)}`],
  ["label values", `label/service_name/values?${form({ query: selector, ...nanoseconds })}`],
  ["series", `series?${form({ "match[]": selector, ...nanoseconds })}`],
  ["size of a query", `index/stats?${form({ query: selector, ...nanoseconds })}`],
  ["detected labels", `detected_labels?${form({ query: selector, ...nanoseconds })}`],
  ["detected fields", `detected_fields?${form({ query: selector, ...nanoseconds })}`],
  ["the version", "status/buildinfo"],
])("Grafana's Loki data source: %s", (_, path) => answers(`/loki/api/v1/${path}`));

test.each([
  ["services", "services"],
  ["operations", "services/seeder/operations"],
  [
    "search",
    `traces?${form({ service: "seeder", limit: "20", start: `${seconds - 3_600}000000`, end: `${seconds + 60}000000` })}`,
  ],
  ["a trace", `traces/${traceId}`],
])("Grafana's Jaeger data source: %s", async (_, path) => {
  expect(JSON.stringify(await answers(`/jaeger/api/${path}`))).toContain("seede");
});

/** 200 and JSON that speaks of success, in whatever encoding was asked for. */
async function answers(path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${stack.gateway}${path}`, { ...init, headers });
  const text = await response.text();
  expect([response.status, text.slice(0, 200)]).toEqual([200, text.slice(0, 200)]);
  expect(response.headers.get("content-type")).toContain("json");
  const answer = JSON.parse(text) as { readonly status?: string };
  if (answer.status !== undefined) expect(answer.status).toBe("success");
  return answer;
}
