import { describe, expect, test } from "bun:test";
import { createMatcher } from "./match.ts";
import { type Route, upstreams } from "./route.ts";
import { otlpRoutes, routes } from "./table.ts";
import { findFaults } from "./validate.ts";

const match = createMatcher(routes);
const base = routes.find(({ path }) => path === "/prometheus/api/v1/query") as Route;

describe("the table", () => {
  test("has no faults", () => expect(findFaults(routes)).toEqual([]));

  test("reaches the collector and the engines by scope only", () => {
    const open = routes.filter(
      ({ access, upstream }) => access === "public" && ["collector", "engine"].includes(upstreams[upstream]),
    );
    expect(open).toEqual([]);
  });

  test("reads of engines need telemetry:read and only queries may be posted; silences need telemetry:admin", () => {
    for (const route of routes.filter(({ upstream }) => upstreams[upstream] === "engine")) {
      if (route.access[0] === "telemetry:admin") {
        expect([route.methods.join(), route.path]).toBeOneOf([
          ["POST", "/alertmanager/api/v2/silences"],
          ["DELETE", "/alertmanager/api/v2/silence/*"],
        ]);
        continue;
      }
      expect(route.access).toEqual(["telemetry:read"]);
      expect(route.methods.every((method) => method === "GET" || method === "POST")).toBe(true);
    }
  });

  test("lets no body arrive later than its row has time for", () => {
    for (const { body, timeoutMs } of routes) if (body !== "none") expect(body.arriveMs).toBeLessThan(timeoutMs);
  });

  test("takes no cookie where telemetry is written, and upgrades nothing but the tail", () => {
    for (const { ingest, session } of routes) if (ingest !== undefined) expect(session).toBeUndefined();
    expect(routes.filter(({ upgrade }) => upgrade !== undefined).map(({ path }) => path)).toEqual([
      "/loki/api/v1/tail",
    ]);
  });

  test("serves ingest and health on the OTLP port and nothing else", () =>
    expect(otlpRoutes.map(({ path }) => path)).toEqual([
      "/v1/traces",
      "/v1/metrics",
      "/v1/logs",
      "/health/live",
      "/health/ready",
    ]));

  test.each([
    "/prometheus/api/v1/admin/tsdb/delete_series",
    "/prometheus/api/v1/admin/tsdb/snapshot",
    "/prometheus/api/v1/otlp/v1/metrics",
    "/prometheus/api/v1/write",
    "/prometheus/api/v1/status/config",
    "/prometheus/-/reload",
    "/prometheus/-/quit",
    "/prometheus/-/healthy",
    "/prometheus/debug/pprof/heap",
    "/prometheus/federate",
    "/prometheus/metrics",
    "/loki/api/v1/delete",
    "/loki/api/v1/cache/generation_numbers",
    "/loki/ruler/ring",
    "/otlp/v1/logs",
    "/ingester/shutdown",
    "/config",
    "/jaeger/api/archive/0123",
    "/jaeger/api/transform",
    "/jaeger/api/v1/spans",
    "/alertmanager/-/reload",
    "/alertmanager/api/v1/alerts",
    "/v1",
    "/v1/traces/",
    "/v1/profiles",
    "/V1/traces",
    "/api/orders2",
    "/api",
    "/metrics/nobody",
  ])("%s does not exist", (path) => expect(match(path)).toBeUndefined());

  test.each([
    ["/loki/api/v1/rules", "POST"],
    ["/loki/api/v1/rules/space/group", "DELETE"],
    ["/alertmanager/api/v2/silences", "DELETE"],
    ["/alertmanager/api/v2/silence/1", "POST"],
    ["/loki/api/v1/tail", "POST"],
    ["/alertmanager/api/v2/alerts", "POST"],
    ["/jaeger/api/traces", "POST"],
    ["/prometheus/api/v1/series", "DELETE"],
    ["/prometheus/api/v1/status/tsdb", "POST"],
    ["/api/catalog/x", "POST"],
    ["/api/customers/anna", "POST"],
    ["/api/collection", "POST"],
    ["/api/wallet", "DELETE"],
  ])("%s refuses %s", (path, method) => {
    expect(match(path)).toBeDefined();
    expect(match(path)?.byMethod.has(method)).toBe(false);
  });

  test.each([
    ["/api/orders", "GET", ["orders:read"]],
    ["/api/orders", "POST", ["orders:write"]],
    ["/api/orders/1/cancel", "POST", ["orders:write"]],
    ["/api/catalog", "GET", ["orders:read"]],
    ["/api/catalog", "HEAD", ["orders:read"]],
    ["/api/catalog/a-piece", "PUT", ["catalog:write"]],
    ["/api/customers/anna", "GET", ["orders:read"]],
    ["/api/wallet/statement", "GET", ["orders:read"]],
    ["/api/wallet/deposits", "POST", ["orders:write"]],
    ["/api/collection/summary", "GET", ["orders:read"]],
    ["/api/inventory/a-piece/restock", "POST", ["inventory:write"]],
    ["/api/inventory/openapi.json", "GET", "public"],
    ["/api/orders/docs", "GET", "public"],
    ["/api/orders/faults", "GET", ["faults:admin"]],
    ["/api/inventory/faults/errors", "PUT", ["faults:admin"]],
    ["/api/faults/errors", "DELETE", ["faults:admin"]],
    ["/api/scenarios/current", "PUT", ["faults:admin"]],
    ["/api/scenarios/report", "GET", ["faults:admin"]],
    ["/v1/logs", "POST", ["telemetry:write", "logs:write"]],
    ["/alertmanager/api/v2/silences", "GET", ["telemetry:read"]],
    ["/alertmanager/api/v2/silences", "POST", ["telemetry:admin"]],
    ["/alertmanager/api/v2/silence/1", "DELETE", ["telemetry:admin"]],
    ["/", "GET", ["telemetry:read"]],
    ["/requests/01a1fcf6-8494-72b7-95f2-4bf0d440983b", "GET", ["telemetry:read"]],
    ["/api/console/summary", "GET", ["telemetry:read"]],
    ["/login", "GET", "public"],
    ["/assets/app-0123456789ab.css", "GET", "public"],
    ["/metrics", "GET", ["telemetry:read"]],
    ["/metrics/orders", "GET", ["telemetry:read"]],
    ["/oauth/token", "POST", "public"],
    ["/oauth/introspect", "POST", "public"],
    ["/oauth/revoke", "POST", "public"],
  ])("%s %s needs %p", (path, method, access) =>
    expect(match(path)?.byMethod.get(method)?.access).toEqual(access as Route["access"]),
  );
});

test("every page sends who has no session to the login page, and auth's own routes take the session of a page", () => {
  const pages = routes.filter(
    ({ upstream, access, path }) =>
      upstream === "console" && access !== "public" && !path.startsWith("/api/") && !path.startsWith("/metrics/"),
  );
  expect(pages.length).toBeGreaterThan(5);
  for (const { page, methods } of pages) expect([page?.login, methods.join()]).toEqual(["/login", "GET"]);
  for (const path of ["/api/auth/me", "/api/auth/sessions/1", "/api/auth/second-factor", "/api/auth/users/1/password"])
    for (const route of match(path)?.byMethod.values() ?? []) expect(route.session).toBe(true);
  for (const path of ["/api/auth/login", "/api/auth/login/totp", "/api/auth/logout", "/api/auth/session/token"])
    expect(match(path)?.sample.access).toBe("public");
});

describe("validation", () => {
  test.each([
    ["a path listed twice", [base, base], "is listed twice for GET"],
    ["an unknown upstream", [{ ...base, upstream: "mars" }], "has the unknown upstream mars"],
    ["an unknown scope", [{ ...base, access: ["all:do"] }], "has the unknown scope all:do"],
    ["no scope", [{ ...base, access: [] }], "needs a scope, or to be public"],
    ["an open engine", [{ ...base, access: "public" }], "would open the telemetry pipeline"],
    ["a path with dots", [{ ...base, path: "/prometheus/../x" }], "is not a canonical path pattern"],
    ["a star in the middle", [{ ...base, path: "/prometheus/**/x" }], "is not a canonical path pattern"],
    ["a prefix it does not have", [{ ...base, forward: { strip: "/prom" } }], "cannot be stripped of /prom"],
    ["no timeout", [{ ...base, timeoutMs: 0 }], "needs a timeout of at most 240000 ms"],
    ["an upstream without a rate class", [{ ...base, rate: "none" }], "asks an upstream and has no rate class"],
    ["an unknown rate class", [{ ...base, rate: "lots" }], "has the unknown rate class lots"],
    [
      "a token counted by address",
      [{ ...base, rate: "open" }],
      "counts by address where there is a token, or by token where there is none",
    ],
    [
      "a page without an open login page",
      [{ ...base, page: { login: "/login" } }],
      "is a page: it needs the session cookie and an open login page",
    ],
    ["an upgrade by POST", [{ ...base, upgrade: "websocket" }], "can be upgraded by GET alone"],
    ["a body without a rule", [{ ...base, body: "none" }], "takes bodies by its methods and has no body rule"],
  ])("refuses %s", (_, rows, fault) => {
    expect(findFaults(rows as Route[])).toContain(`${rows[0]?.path}: ${fault}`);
    expect(() => createMatcher(rows as Route[])).toThrow("the route table is not valid");
  });
});

test("a literal segment wins over a star, and a star over the rest, in any order of rows", () => {
  const rows = ["/prometheus/**", "/prometheus/*/b", "/prometheus/a/b", "/prometheus/a/*"].map((path) =>
    Object.assign({}, base, { path }),
  );
  for (const order of [rows, rows.toReversed()]) {
    const find = createMatcher(order);
    expect(find("/prometheus/a/b")?.pattern).toBe("/prometheus/a/b");
    expect(find("/prometheus/a/c")?.pattern).toBe("/prometheus/a/*");
    expect(find("/prometheus/c/b")?.pattern).toBe("/prometheus/*/b");
    expect(find("/prometheus/a/b/c")?.pattern).toBe("/prometheus/**");
    expect(find("/prometheus")?.pattern).toBe("/prometheus/**");
  }
});
