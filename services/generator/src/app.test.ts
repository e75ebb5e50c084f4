import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { faultOverview } from "@vitrine/contracts/faults";
import { problem } from "@vitrine/contracts/problem";
import { played, scenarioOverview, sentReport } from "@vitrine/contracts/scenarios";
import { createBaseApp } from "@vitrine/kit/http";
import { createFaults, type Faults } from "@vitrine/kit/faults";
import { faultRoutes } from "@vitrine/kit/faults/http";
import { buildDocument } from "@vitrine/kit/openapi";
import { createFuzz } from "@vitrine/kit/testing/fuzz";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { judgeAnswer, listOperations, listRoutes, makeRequest } from "@vitrine/kit/testing/openapi";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { generatorDocument } from "./openapi.ts";
import { createSimulation, type Simulation } from "./simulation.ts";

let issuer: TestIssuer;
let gateway: Bun.Server<undefined>;
let services: Readonly<
  Record<"orders" | "inventory", { faults: Faults; fetch: (request: Request) => Promise<Response> }>
>;
let ordersAway: boolean;
let simulation: Simulation;
let app: ReturnType<typeof createApp>;

/** The faults of a service as the kit serves them. */
function startService(service: "orders" | "inventory") {
  const { logger } = memoryLogger();
  const faults = createFaults({ service, enabled: true, logger });
  const served = createBaseApp({ service, logger, readiness: alwaysReady });
  served.route(`/api/${service}/faults`, faultRoutes(issuer.verifier, faults));
  return { faults, fetch: async (request: Request) => await served.fetch(request) };
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  gateway = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/oauth/token") {
        const scope = new URLSearchParams(await request.text()).get("scope") ?? "";
        const access_token = await issuer.sign(scope);
        return Response.json({ access_token, token_type: "Bearer", expires_in: 900, scope });
      }
      if (pathname.startsWith("/api/inventory")) return await services.inventory.fetch(request);
      if (ordersAway) return new Response("", { status: 502 });
      return await services.orders.fetch(request);
    },
  });
});
beforeEach(async () => {
  ordersAway = false;
  services = { orders: startService("orders"), inventory: startService("inventory") };
  const { logger } = memoryLogger("generator");
  const config = parseConfig({
    CLIENT_ID: "generator",
    CLIENT_SECRET: "a-test-secret",
    GATEWAY_URL: gateway.url.href,
    FAULT_INJECTION: "on",
  });
  const still = () => new Promise<void>(() => undefined);
  simulation = createSimulation({ config, logger, now: Date.now, clock: () => performance.now(), sleep: still });
  app = createApp({ logger, readiness: alwaysReady, verifier: issuer.verifier, issuer: issuer.issuer, simulation });
});
// What it still switches would be switched in the services of the next test.
afterEach(() => simulation.close());
afterAll(() => gateway.stop(true));

async function send(method: string, path: string, body?: unknown, scope = "faults:admin") {
  return await app.request(path, {
    method,
    headers: { authorization: `Bearer ${await issuer.sign(scope)}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const overview = async () => faultOverview.parse(await (await send("GET", "/api/faults")).json());
const activeIn = async (name: string) =>
  (await overview()).items.find((item) => item.name === name)?.active.map(({ service }) => service);

describe("faults", () => {
  test("are one list over all services, with what can be set", async () => {
    const { items, silent } = await overview();
    expect(silent).toEqual([]);
    expect(items).toHaveLength(9);
    expect(items.find(({ name }) => name === "tail_latency")).toMatchObject({
      services: ["orders", "inventory"],
      parameters: { delayMs: 3_000, ratio: 0.05 },
      active: [],
    });
  });

  test("are switched where they happen: in all their services, in those named, or in the generator", async () => {
    expect((await send("PUT", "/api/faults/latency", { forSeconds: 60, parameters: { delayMs: 5 } })).status).toBe(200);
    expect(services.orders.faults.parametersOf("latency")).toEqual({ delayMs: 5 });
    expect(await activeIn("latency")).toEqual(["orders", "inventory"]);
    await send("PUT", "/api/faults/errors", { services: ["orders"] });
    expect(await activeIn("errors")).toEqual(["orders"]);
    await send("PUT", "/api/faults/clock_skew", {});
    expect(await activeIn("clock_skew")).toEqual(["generator"]);
    for (const name of ["latency", "errors", "clock_skew"])
      expect((await send("DELETE", `/api/faults/${name}`)).status).toBe(204);
    expect((await overview()).items.flatMap(({ active }) => active)).toEqual([]);
  });

  test("a service that is away is told as such, and the others are switched all the same", async () => {
    ordersAway = true;
    expect((await overview()).silent).toEqual([{ service: "orders", reason: "orders answered 502" }]);
    const on = await send("PUT", "/api/faults/latency", {});
    expect(((await on.json()) as { items: unknown[] }).items).toHaveLength(1);
    expect(await activeIn("latency")).toEqual(["inventory"]);
    expect((await send("DELETE", "/api/faults/latency")).status).toBe(502);
    expect((await send("PUT", "/api/faults/errors", { services: ["orders"] })).status).toBe(502);
  });

  test("what a service refuses is refused with its reason", async () => {
    const wrong = await send("PUT", "/api/faults/errors", { parameters: { ratio: 7 } });
    expect([wrong.status, problem.parse(await wrong.json()).fields?.[0]?.field]).toEqual([400, "parameters.ratio"]);
    expect((await send("PUT", "/api/faults/inventory_down", { services: ["orders"] })).status).toBe(404);
    expect((await send("PUT", "/api/faults/earthquake", {})).status).toBe(400);
  });
});

describe("scenarios", () => {
  test("are listed, played, reported and ended", async () => {
    const list = async () => scenarioOverview.parse(await (await send("GET", "/api/scenarios")).json());
    expect(await list()).toMatchObject({ items: { length: 4 }, current: null });
    const now = await send("PUT", "/api/scenarios/current", { name: "sale", forSeconds: 60 });
    expect(played.parse(await now.json())).toMatchObject({ name: "sale", ratePerSecond: 40 });
    expect((await list()).current?.name).toBe("sale");
    const report = sentReport.parse(await (await send("GET", "/api/scenarios/report")).json());
    expect(report.played.map(({ name }) => name)).toEqual(["sale"]);
    expect((await send("DELETE", "/api/scenarios/current")).status).toBe(204);
    expect((await list()).current).toBeNull();
  });

  test("an outage switches its faults on, and the ordinary day off again", async () => {
    await send("PUT", "/api/scenarios/current", { name: "outage" });
    while (services.orders.faults.list().length === 0 || services.inventory.faults.list().length === 0)
      await Bun.sleep(5);
    expect(await activeIn("inventory_down")).toEqual(["inventory"]);
    await send("PUT", "/api/scenarios/current", { name: "calm" });
    while (services.orders.faults.isAnyOn() || services.inventory.faults.isAnyOn()) await Bun.sleep(5);
  });

  test.each([[{ name: "siesta" }], [{ name: "sale", ratePerSecond: 5_000 }], [{ name: "sale", forSeconds: 0 }]])(
    "%p is refused",
    async (body) => expect((await send("PUT", "/api/scenarios/current", body)).status).toBe(400),
  );
});

test.each([
  ["GET", "/api/faults"],
  ["PUT", "/api/faults/errors"],
  ["DELETE", "/api/faults/errors"],
  ["GET", "/api/scenarios"],
  ["GET", "/api/scenarios/report"],
  ["PUT", "/api/scenarios/current"],
  ["DELETE", "/api/scenarios/current"],
])("%s %s needs faults:admin", async (method, path) => {
  expect((await app.request(path, { method })).status).toBe(401);
  expect((await send(method, path, undefined, "telemetry:admin orders:write")).status).toBe(403);
});

const document = buildDocument(generatorDocument("http://localhost:8080"));
const cases = listOperations(document);

test("the document names every route there is, and none there is not", () => {
  expect(listRoutes(app)).toEqual(cases.map(([name]) => name).toSorted());
});

test.each(cases)("%s keeps what it says for any input", async (name, one) => {
  const fuzz = createFuzz(20_261_121 + name.length);
  const authorization = `Bearer ${await issuer.sign("faults:admin")}`;
  for (let count = 0; count < 60; count += 1) {
    const request = makeRequest(one, fuzz, { fit: count % 3 === 0, headers: { authorization } });
    expect(await judgeAnswer(document, one, await app.request(request))).toBeUndefined();
  }
});
