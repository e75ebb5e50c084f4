import { expect, test } from "bun:test";
import { join } from "node:path";
import { dashboards } from "@vitrine/dashboards/all";
import { consoleAddress } from "@vitrine/dashboards/to-grafana";
import { z } from "zod";
import { engines, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { composeService } from "./compose.ts";
import { metricsIn } from "./metric-names.ts";

const schema = z.strictObject({
  apiVersion: z.literal(1),
  prune: z.literal(true),
  datasources: z.array(
    z.strictObject({
      name: z.string(),
      uid: z.string(),
      type: z.string(),
      access: z.literal("proxy"),
      url: z.url(),
      isDefault: z.boolean().default(false),
      editable: z.literal(false),
      jsonData: z.record(z.string(), z.unknown()),
    }),
  ),
});

const tracesToMetrics = z.looseObject({
  datasourceUid: z.literal("prometheus"),
  tags: z.array(z.object({ key: z.string(), value: z.string() })),
  queries: z.array(z.object({ name: z.string(), query: z.string() })),
});

const provisionedDashboards = z.strictObject({
  apiVersion: z.literal(1),
  providers: z
    .array(
      z.looseObject({
        type: z.literal("file"),
        disableDeletion: z.literal(true),
        allowUiUpdates: z.literal(false),
        options: z.strictObject({ path: z.string() }),
      }),
    )
    .min(1),
});

const file = Bun.file(join(repositoryRoot, "grafana/provisioning/datasources/vitrine.yaml"));
const { datasources } = schema.parse(Bun.YAML.parse(await file.text()));

function source(uid: string) {
  const found = datasources.find((one) => one.uid === uid);
  if (found === undefined) throw new Error(`no data source ${uid}`);
  return found;
}

test("every engine that answers queries is a data source at its compose address, under its name as uid", () => {
  const askable = engines.filter(({ name }) => name !== "collector");
  expect(datasources.map(({ uid }) => uid).sort()).toEqual(askable.map(({ name }) => name).sort());
  for (const { uid, type, url } of datasources) {
    const [port] = engines.find(({ name }) => name === uid)?.ports ?? [];
    expect(type).toBe(uid);
    expect(url).toBe(`http://${uid}:${defaultEnginePorts[port ?? "postgres"]}`);
  }
  expect(datasources.filter(({ isDefault }) => isDefault).map(({ uid }) => uid)).toEqual(["prometheus"]);
});

test("dashboards are read from where compose puts their JSON, the home among them, and cannot be changed in the browser", async () => {
  const text = await Bun.file(join(repositoryRoot, "grafana/provisioning/dashboards/vitrine.yaml")).text();
  const { providers } = provisionedDashboards.parse(Bun.YAML.parse(text));
  const { volumes, environment } = composeService("grafana");
  for (const { options } of providers) expect(volumes).toContain(`./grafana/dashboards/json:${options.path}:ro`);
  expect(volumes).toContain("./grafana/provisioning/dashboards:/etc/grafana/provisioning/dashboards:ro");
  const files = dashboards.map(({ uid }) => `${providers[0]?.options.path}/${uid}.json`);
  expect(files).toContain(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] ?? "");
});

test("from an exemplar and from a log line one gets to the trace, and from the line to the request", () => {
  expect(source("prometheus").jsonData["exemplarTraceIdDestinations"]).toEqual([
    expect.objectContaining({ name: "trace_id", datasourceUid: "jaeger" }),
  ]);
  // Found by label: structured metadata is not part of the line. `$$` reaches Grafana as one dollar sign.
  expect(source("loki").jsonData["derivedFields"]).toEqual([
    expect.objectContaining({
      matcherType: "label",
      matcherRegex: "trace_id",
      datasourceUid: "jaeger",
      url: "$${__value.raw}",
    }),
    expect.objectContaining({
      matcherType: "label",
      matcherRegex: "request_id",
      url: `${consoleAddress}/requests/$\${__value.raw}`,
    }),
  ]);
});

test("from a trace one gets to the lines of every service that took part", () => {
  expect(source("jaeger").jsonData["tracesToLogsV2"]).toMatchObject({
    datasourceUid: "loki",
    customQuery: true,
    query: '{service_name=~".+"} | trace_id="$${__trace.traceId}"',
  });
});

test("from a span one gets to the rate and the duration of all like it", () => {
  const { tags, queries } = tracesToMetrics.parse(source("jaeger").jsonData["tracesToMetrics"]);
  // The labels span metrics have, by the attributes spans have.
  expect(tags).toEqual([{ key: "service.name", value: "service_name" }]);
  for (const { query } of queries) {
    expect(query).toContain("{$$__tags}");
    expect(
      [...metricsIn(query.replaceAll("$$", ""))].filter((name) => !name.startsWith("traces_span_metrics_")),
    ).toEqual([]);
  }
});
