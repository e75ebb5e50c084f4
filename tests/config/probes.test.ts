import { expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import type { Route, Upstream } from "../../services/gateway/src/routes/route.ts";
import { routes } from "../../services/gateway/src/routes/table.ts";

/** The probes of the collector against the gateway's table: a row that is added is probed, or it is said why not. */
const probe = z.looseObject({
  targets: z.array(
    z.looseObject({
      endpoints: z.array(z.string()),
      auth: z.looseObject({ authenticator: z.string() }).optional(),
    }),
  ),
});
const configSchema = z.looseObject({ receivers: z.looseObject({ http_check: probe, "http_check/traces": probe }) });

const overlaySchema = z.looseObject({
  service: z.looseObject({
    pipelines: z.looseObject({ "metrics/probes": z.looseObject({ receivers: z.array(z.string()) }).optional() }),
  }),
});

async function read(name: string): Promise<unknown> {
  return Bun.YAML.parse(await Bun.file(join(repositoryRoot, "otel-collector", name)).text());
}

const { receivers } = configSchema.parse(await read("config.yaml"));

const probes = [...receivers.http_check.targets, ...receivers["http_check/traces"].targets].flatMap(
  ({ endpoints, auth }) =>
    endpoints.map((endpoint) => ({
      path: endpoint.replace(/^\$\{env:[A-Z_]+:-http:\/\/[\d.:]+\}/, "").replace(/\?.*$/, ""),
      withToken: auth !== undefined,
    })),
);

test.each([
  ["all", ["http_check", "http_check/traces"]],
  ["sampled", ["http_check", "http_check/traces"]],
  ["none", undefined],
])("with %s of the traces, Jaeger is probed if it keeps any", async (name, probed) => {
  const { service } = overlaySchema.parse(await read(`traces-${name}.yaml`));
  expect(service.pipelines["metrics/probes"]?.receivers).toEqual(probed);
});

/** Open rows that are not probed. */
const notProbed: Readonly<Record<string, string>> = {
  "/api/console/docs": "a page around the document beside it, which is probed",
  "/api/inventory/docs": "a page around the document beside it, which is probed",
  "/api/notifier/docs": "a page around the document beside it, which is probed",
  "/api/orders/docs": "a page around the document beside it, which is probed",
  "/api/scenarios/docs": "where nobody asked for simulated customers there is none",
  "/api/scenarios/openapi.json": "where nobody asked for simulated customers there is none",
  "/assets/*": "its names change with every build",
  "/oauth/token": "every probe that needs a token gets it there",
  "/oauth/introspect": "it takes POST with credentials only: a probe would count as a failure to prove an identity",
  "/oauth/revoke": "it takes POST with credentials only: a probe would count as a failure to prove an identity",
};

/** Upstreams behind a token that are not probed. */
const notAsked: Readonly<Partial<Record<Upstream, string>>> = {
  collector: "it takes POST only; what does not arrive is told by the heartbeats",
  grafana: "the lite system has none, and it says nothing of itself that people wait for",
  generator: "where nobody asked for simulated customers there is none",
};

function matches(path: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\/\*\*|\*/g, (star) => (star === "*" ? "[^/]+" : "(/.*)?"));
  return new RegExp(`^${source}$`).test(path);
}

/** The rows a path is served by; a path that has a row of its own is served by that. */
function rowsOf(path: string): readonly Route[] {
  const rows = routes.filter((route) => route.methods.includes("GET") && matches(path, route.path));
  const own = rows.filter((route) => route.path === path);
  return own.length > 0 ? own : rows;
}

test("every probe asks a row that there is, with a token exactly where it needs one", () => {
  expect(probes.length).toBeGreaterThan(10);
  for (const { path, withToken } of probes) {
    const [row] = rowsOf(path);
    expect(row, path).toBeDefined();
    expect(withToken, path).toBe(row?.access !== "public");
  }
});

test("every open row is probed, or it is said why not", () => {
  const open = new Set(routes.filter(({ access }) => access === "public").map(({ path }) => path));
  const probed = new Set(probes.flatMap(({ path }) => rowsOf(path)).map(({ path }) => path));
  for (const path of open) expect(`${path} ${probed.has(path)}`).toBe(`${path} ${!(path in notProbed)}`);
  expect(Object.keys(notProbed).filter((path) => !open.has(path))).toEqual([]);
});

test("everything behind the gateway is asked through it, or it is said why not", () => {
  const upstreams = new Set(routes.map(({ upstream }) => upstream));
  const asked = new Set(probes.flatMap(({ path }) => rowsOf(path)).map(({ upstream }) => upstream));
  for (const upstream of upstreams)
    expect(`${upstream} ${asked.has(upstream)}`).toBe(`${upstream} ${!(upstream in notAsked)}`);
});
