import { expect, test } from "bun:test";
import { attributeBounds, edges, maxSeriesOf, sources } from "./signals.ts";
import { isSecurityAction, logActions, type MetricDefinition, metrics, securityActions } from "./telemetry.ts";
import { renderTelemetryPage } from "./telemetry-page.ts";

const definitions: readonly MetricDefinition[] = Object.values(metrics);
const known = new Set(Object.keys(sources));

test("docs/telemetry.md is what `bun run docs:telemetry` makes of the contract", async () => {
  const page = await Bun.file(new URL("../../../docs/telemetry.md", import.meta.url)).text();
  expect(page).toBe(renderTelemetryPage());
});

test.each(definitions.map((definition) => [definition.name, definition] as const))(
  "%s has a bound for each of its open attributes, and one for all of it",
  (_, definition) => {
    for (const [key, values] of Object.entries(definition.attributes))
      if (values === "bounded") expect(Object.keys(attributeBounds)).toContain(key);
    expect(maxSeriesOf(definition)).toBeGreaterThan(0);
    expect(maxSeriesOf(definition)).toBeLessThanOrEqual(2_000);
  },
);

test("no name of a metric is used twice, nor is a bound for nothing", () => {
  const names = definitions.map(({ name }) => name);
  expect(names.length).toBe(new Set(names).size);
  const open = new Set(definitions.flatMap(({ attributes }) => Object.keys(attributes)));
  expect(Object.keys(attributeBounds).filter((key) => !open.has(key))).toEqual([]);
});

test("who emits something is a source of that signal", () => {
  const emitters = definitions.flatMap(({ services }) => (services === "all" ? [] : services));
  expect(emitters.filter((service) => sources[service]?.includes("metrics") !== true)).toEqual([]);
  const writers = Object.values(logActions).flatMap(({ services }) => (services === "all" ? [] : services));
  expect(writers.filter((service) => sources[service]?.includes("logs") !== true)).toEqual([]);
});

test("who calls or is called is a source of traces, or the database", () => {
  const callers = edges.flat().filter((name) => name !== "vitrine");
  expect(callers.filter((name) => !known.has(name) || sources[name]?.includes("traces") !== true)).toEqual([]);
});

test("security events are those of the OWASP vocabulary that tell who did what", () => {
  expect(securityActions).toContain("authn_login_fail");
  expect(securityActions).toContain("authz_admin");
  expect(securityActions.filter((name) => !isSecurityAction(name))).toEqual([]);
  expect(isSecurityAction("order.placed")).toBe(false);
});
