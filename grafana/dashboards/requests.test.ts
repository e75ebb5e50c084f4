import { describe, expect, test } from "bun:test";
import { type Asking, instantPath, linesPath, rangePath, stepSeconds, tracesPath, valuesPath } from "./requests.ts";

const minute = 60_000;
const asking: Asking = { range: { fromMs: 30 * minute, toMs: 60 * minute }, points: 300, scope: { service: [] } };

function searchOf(path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(path, "http://gateway").searchParams);
}

describe("spans of time", () => {
  const query = { datasource: "prometheus", expr: 'rate(x{s=~"$service"}[$__rate_interval])', legend: "" } as const;

  test("a rate looks back over at least four scrapes", () => {
    expect(searchOf(rangePath(query, asking))["query"]).toBe('rate(x{s=~".+"}[40s])');
  });

  test("a rate over long ranges looks back over more than a step, so that no sample falls between two", () => {
    const day = { ...asking, range: { fromMs: 0, toMs: 1_440 * minute } };
    expect(stepSeconds(day)).toBe(288);
    expect(searchOf(rangePath(query, day))["query"]).toBe('rate(x{s=~".+"}[298s])');
  });

  test("a step is never shorter than a scrape", () => {
    expect(stepSeconds({ ...asking, range: { fromMs: 0, toMs: minute } })).toBe(10);
  });

  test("values of now count over the whole range", () => {
    const expr = "count_over_time(x[$__auto]) + y[$__range] / $__range_s";
    expect(searchOf(instantPath({ datasource: "loki", expr, legend: "" }, asking))["query"]).toBe(
      "count_over_time(x[1800s]) + y[1800s] / 1800",
    );
  });
});

describe("at the gateway", () => {
  test("lines are asked for newest first, and not all of them", () => {
    const path = linesPath('{service_name=~"$service"}', asking);
    expect(path).toStartWith("/loki/api/v1/query_range?");
    expect(searchOf(path)).toMatchObject({ start: "1800", end: "3600", limit: "100", direction: "backward" });
  });

  test("traces are asked for by service and tags, in microseconds", () => {
    const path = tracesPath(
      { datasource: "jaeger", service: "gateway", tags: { "request.id": "$id" }, minDuration: "20ms" },
      { ...asking, scope: { id: "abc" } },
    );
    expect(path).toStartWith("/jaeger/api/traces?");
    expect(searchOf(path)).toMatchObject({
      service: "gateway",
      tags: '{"request.id":"abc"}',
      start: "1800000000",
      minDuration: "20ms",
    });
  });

  test("values of a variable are those of the series it names", () => {
    const path = valuesPath(
      { kind: "label", name: "route", title: "Route", label: "http_route", of: 'x{s=~"$service"}' },
      asking,
    );
    expect(path).toStartWith("/prometheus/api/v1/label/http_route/values?");
    expect(searchOf(path)["match[]"]).toBe('x{s=~".+"}');
  });
});
