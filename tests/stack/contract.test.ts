import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { edges, foreignMetrics, maxSeriesOf, prometheusNames, sources } from "@vitrine/contracts/signals";
import { logActions, type MetricDefinition, metrics } from "@vitrine/contracts/telemetry";
import { z } from "zod";
import { bestOfThree, eventually } from "@vitrine/kit/testing/eventually";
import { type Rare, rareActions, rareEdges, rareMetrics } from "./rare.ts";
import { getJson, type Stack, startStack } from "./stack.ts";

/** The telemetry contract against the running system: nothing that is not listed, and everything that is. */
const coldStartMs = 60 * 60_000;

/** Until customers have done everything they do. */
const patienceMs = 150_000;

setDefaultTimeout(patienceMs + 60_000);

type Labels = Readonly<Record<string, string>>;

let stack: Stack;
let token: string;

const seriesAnswer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

const tracesAnswer = z.object({ services: z.array(z.string()) });

const get = (path: string): Promise<unknown> => getJson(stack, token, path);

async function ask(engine: "prometheus" | "loki", query: string) {
  const path = engine === "prometheus" ? "/prometheus/api/v1/query" : "/loki/api/v1/query";
  return seriesAnswer.parse(await get(`${path}?${new URLSearchParams({ query })}`)).data.result;
}

async function labelsOf(engine: "prometheus" | "loki", query: string): Promise<readonly Labels[]> {
  return (await ask(engine, query)).map(({ metric }) => metric);
}

/** Everything of `wanted` that `seen` tells of, given time; what never comes is in the error. */
async function arrives(what: string, wanted: readonly string[], seen: () => Promise<readonly string[]>): Promise<void> {
  let missing = wanted;
  await eventually(what, patienceMs, async () => {
    const found = new Set(await seen());
    missing = wanted.filter((one) => !found.has(one));
    return missing.length === 0 || undefined;
  }).catch(() => undefined);
  expect(missing).toEqual([]);
}

beforeAll(async () => {
  stack = await startStack();
  await eventually("the whole system is up", coldStartMs, async () => (await stack.doctor()).ok);
  token = await stack.token();
  // What no customer of the demo does.
  const forged = `Bearer ${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
  await fetch(`${stack.gateway}/api/orders`, { headers: { authorization: forged } });
  await fetch(`${stack.gateway}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "nobody", password: "wrong-password-1" }),
  });
}, coldStartMs);

afterAll(() => stack.stop());

const definitions: readonly MetricDefinition[] = Object.values(metrics);
const byPrometheusName = new Map(
  definitions.flatMap((definition) => prometheusNames(definition).map((name) => [name, definition] as const)),
);
const allServices = Object.keys(sources).filter((name) => sources[name]?.includes("traces"));
const servicesOf = (services: readonly string[] | "all"): readonly string[] =>
  services === "all" ? allServices : services;
type Listed = readonly (readonly [name: string, services: readonly string[] | "all"])[];

const pairs = (names: Listed): readonly string[] =>
  names.flatMap(([name, services]) => servicesOf(services).map((service) => `${service} ${name}`));

/** Without what is rare, with those services of it that are not. */
function usual(names: Listed, rare: Readonly<Record<string, Rare>>): Listed {
  return names.flatMap(([name, services]) => {
    const left = servicesOf(services).filter((service) => !isRare(rare[name], service));
    return left.length === 0 ? [] : [[name, left] as const];
  });
}

function isRare(rare: Rare | undefined, service: string): boolean {
  return rare !== undefined && (rare.services?.includes(service) ?? true);
}

/** Labels that every series of a service may have: its resource. */
const resourceLabels = new Set([
  "__name__",
  "client_id",
  "deployment_environment_name",
  "instance",
  "job",
  "le",
  "service_name",
  "service_version",
]);

describe("who sends what", () => {
  test("every source sends the signals it is listed with", async () => {
    const listed = Object.entries(sources).flatMap(([name, signals]) => signals.map((signal) => `${name} ${signal}`));
    await arrives("all signals of all sources", listed, async () => {
      const [logs, series, traces] = await Promise.all([
        labelsOf("loki", 'sum by (service_name) (count_over_time({service_name=~".+"}[1h]))'),
        labelsOf("prometheus", 'count by (service_name) ({service_name=~".+", __name__!~".*:.*"})'),
        get("/jaeger/api/v3/services").then((answer) => tracesAnswer.parse(answer).services),
      ]);
      return [
        ...logs.map(({ service_name: name }) => `${name} logs`),
        ...series.map(({ service_name: name }) => `${name} metrics`),
        ...traces.map((name) => `${name} traces`),
      ];
    });
  });

  test("every call between services is in the service graph, and no other is", async () => {
    const graph = async () =>
      (
        await labelsOf(
          "prometheus",
          'count by (client, server) (traces_service_graph_request_total{client!="user", server!="unknown"})',
        )
      ).map(({ client, server }) => `${client}>${server}`);
    const listed = edges.map(([client, server]) => `${client}>${server}`);
    await arrives(
      "all edges",
      listed.filter((edge) => !(edge in rareEdges)),
      graph,
    );
    const own = new Set<string | undefined>([...allServices, "vitrine"]);
    const between = (await graph()).filter((edge) => edge.split(">").every((name) => own.has(name)));
    expect(between.filter((edge) => !listed.includes(edge))).toEqual([]);
  });
});

describe("metrics", () => {
  test("every listed metric arrives from every service it is listed with", async () => {
    const names = definitions.map((definition) => [definition.name, definition.services] as const);
    const prometheusName = new Map(definitions.map((one) => [one.name, prometheusNames(one)[0] ?? ""] as const));
    const listed = usual(names, rareMetrics).map(
      ([name, services]) => [prometheusName.get(name) ?? "", services] as const,
    );
    await arrives("all metrics", pairs(listed), async () =>
      (await labelsOf("prometheus", 'count by (service_name, __name__) ({service_name=~".+"})')).map(
        ({ service_name: service, __name__: name }) => `${service} ${name}`,
      ),
    );
  });

  test("none is emitted that is not listed", async () => {
    const recorded = new Set(
      (await labelsOf("prometheus", 'count by (__name__) ({service_name=~".+", __name__=~".*:.*|ALERTS.*"})')).map(
        ({ __name__: name }) => name,
      ),
    );
    const compatible = await compatibilityNames();
    const emitted = await labelsOf(
      "prometheus",
      `count by (service_name, __name__) ({service_name=~"${Object.keys(sources).join("|")}"})`,
    );
    const strangers = emitted.filter(({ __name__: name = "" }) => {
      const isForeign = foreignMetrics.some(({ prefix }) => name.startsWith(prefix));
      return !byPrometheusName.has(name) && !isForeign && !recorded.has(name) && !compatible.has(name);
    });
    expect(strangers.map(({ service_name: service, __name__: name }) => `${service} ${name}`)).toEqual([]);
  });

  test("none comes from a service it is not listed with, with a label or a value it does not have, or in too many series", async () => {
    const faults: string[] = [];
    for (const definition of definitions) {
      const [first = "", count = first] = prometheusNames(definition);
      const series = await labelsOf("prometheus", definition.kind === "histogram" ? count : first);
      faults.push(...series.flatMap((labels) => faultsOf(definition, labels)));
      for (const [process, its] of Map.groupBy(
        series,
        ({ service_name: service, instance }) => `${service} ${instance}`,
      ))
        if (its.length > maxSeriesOf(definition))
          faults.push(`${definition.name}: ${its.length} series of ${process}, bound is ${maxSeriesOf(definition)}`);
    }
    expect([...new Set(faults)]).toEqual([]);
  });

  test("pools of connections are named by host and database, never by a user or a password", async () => {
    const pools = await eventually("pools", patienceMs, async () => {
      const found = await labelsOf("prometheus", "db_client_connection_max");
      return found.length > 0 && found;
    });
    for (const { db_client_connection_pool_name: pool } of pools) expect(pool).toMatch(/^127\.0\.0\.1:\d+\/vitrine$/);
  });
});

describe("log actions", () => {
  const actions = Object.entries(logActions).map(([name, { services }]) => [name, services] as const);
  const seen = async () =>
    (
      await labelsOf("loki", 'sum by (service_name, action) (count_over_time({service_name=~".+"} | action!="" [1h]))')
    ).map(({ service_name: service, action }) => `${service} ${action}`);

  test("every listed action is logged by every service it is listed with", async () => {
    await arrives("all actions", pairs(usual(actions, rareActions)), seen);
  });

  test("none is logged that is not listed, or by whom it is not listed with", async () => {
    const listed = new Set(pairs(actions));
    const own = new Set(Object.keys(sources));
    const strangers = (await seen()).filter((pair) => own.has(pair.split(" ")[0] ?? "") && !listed.has(pair));
    expect(strangers).toEqual([]);
  });

  test("every security event that was counted as logged reached the collector", async () => {
    const [counted, logged] = ["sum(security_events_total)", "sum(security_events_logged_total)"];
    await eventually("more than ten events, and both counts agree", patienceMs, async () => {
      const [[all], [difference]] = await Promise.all([
        ask("prometheus", counted),
        ask("prometheus", `${counted} - ${logged}`),
      ]);
      return Number(all?.value[1]) > 10 && difference?.value[1] === "0";
    });
  });
});

describe("how soon", () => {
  const trials = 20;

  const p95Ms = (enoughMs: number, act: () => Promise<void>): Promise<number> =>
    bestOfThree(enoughMs, async () => {
      const durations: number[] = [];
      for (let index = 0; index < trials; index += 1) {
        const startedAt = performance.now();
        await act();
        durations.push(performance.now() - startedAt);
      }
      return durations.sort((a, b) => a - b)[Math.ceil(trials * 0.95) - 1] ?? Infinity;
    });

  const introspect = (requestId: string) =>
    fetch(`${stack.gateway}/oauth/introspect`, { method: "POST", headers: { "x-request-id": requestId } });

  test("from a request to its log line in Loki, at most 2 s for 19 of 20", async () => {
    const took = await p95Ms(2_000, async () => {
      const requestId = `soon-${crypto.randomUUID()}`;
      await introspect(requestId);
      const query = new URLSearchParams({ query: `{service_name="gateway"} | request_id="${requestId}"` });
      await eventually(
        "its line",
        20_000,
        async () => JSON.stringify(await get(`/loki/api/v1/query_range?${query}`)).includes(requestId) || undefined,
      );
    });
    await Bun.write(Bun.stderr, `request to log: p95 ${Math.round(took)} ms\n`);
    expect(took).toBeLessThan(2_000);
  });

  test("from a request to its metric in Prometheus, at most 6 s for 19 of 20", async () => {
    // A row that nobody else asks.
    const query = 'sum(http_server_request_duration_seconds_count{service_name="gateway", http_route="/oauth/revoke"})';
    const count = async () => Number((await ask("prometheus", query))[0]?.value[1] ?? 0);
    const took = await p95Ms(6_000, async () => {
      const before = await count();
      await fetch(`${stack.gateway}/oauth/revoke`, { method: "POST" });
      await eventually("its count", 20_000, async () => (await count()) > before);
    });
    await Bun.write(Bun.stderr, `request to metric: p95 ${Math.round(took)} ms\n`);
    expect(took).toBeLessThan(6_000);
  });
});

/** What is listed as rare and its reason must not be forgotten there once it is gone. */
test("what is left out of the above is in the contract", () => {
  const names = new Set(definitions.map(({ name }) => name));
  expect(Object.keys(rareMetrics).filter((name) => !names.has(name))).toEqual([]);
  expect(Object.keys(rareActions).filter((name) => !(name in logActions))).toEqual([]);
  const between = new Set(edges.map(([client, server]) => `${client}>${server}`));
  expect(Object.keys(rareEdges).filter((edge) => !between.has(edge))).toEqual([]);
});

function faultsOf(definition: MetricDefinition, labels: Labels): readonly string[] {
  const { name, attributes, services } = definition;
  const allowed = new Map(
    Object.entries(attributes).map(([key, values]) => [key.replaceAll(".", "_"), values] as const),
  );
  const faults = servicesOf(services).includes(labels["service_name"] ?? "")
    ? []
    : [`${name} comes from ${labels["service_name"]}`];
  for (const [label, value] of Object.entries(labels)) {
    const values = allowed.get(label);
    if (values === undefined && !resourceLabels.has(label)) faults.push(`${name} has the label ${label}`);
    else if (Array.isArray(values) && !values.includes(value)) faults.push(`${name} has ${label}="${value}"`);
  }
  return faults;
}

/** Names that recording rules give to what has another name by the contract. */
async function compatibilityNames(): Promise<ReadonlySet<string>> {
  const file = Bun.file(new URL("../../prometheus/rules/compatibility.rules.yaml", import.meta.url));
  const schema = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ record: z.string() })) })) });
  const { groups } = schema.parse(Bun.YAML.parse(await file.text()));
  return new Set(groups.flatMap(({ rules }) => rules.map(({ record }) => record)));
}
