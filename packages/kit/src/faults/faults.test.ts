import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { FaultName } from "@vitrine/contracts/faults";
import { problem } from "@vitrine/contracts/problem";
import { createBaseApp } from "../http/app.ts";
import { alwaysReady, memoryLogger } from "../testing/log.ts";
import { startTestTelemetry, type TestTelemetry } from "../testing/telemetry.ts";
import { createTestIssuer, type TestIssuer } from "../testing/tokens.ts";
import { createFaults, type Effects, type Faults, type FaultsOptions } from "./faults.ts";
import { faultRoutes, injectFaults } from "./http.ts";

let telemetry: TestTelemetry;
let issuer: TestIssuer;
let token: string;
let open: Faults[] = [];

beforeAll(async () => {
  telemetry = startTestTelemetry();
  issuer = await createTestIssuer();
  token = await issuer.sign("faults:admin");
});
afterEach(async () => {
  await Promise.all(open.map((faults) => faults.close()));
  open = [];
});
afterAll(() => telemetry.stop());

function newApp(options: Partial<FaultsOptions> = {}) {
  const { logger, lines } = memoryLogger();
  const faults = createFaults({ service: "inventory", enabled: true, logger, ...options });
  open.push(faults);
  const app = createBaseApp({ service: "inventory", logger, readiness: alwaysReady });
  app.use("/api/*", injectFaults(faults));
  app.route("/api/inventory/faults", faultRoutes(issuer.verifier, faults));
  app.get("/api/inventory", (c) => c.json({ well: true }));
  const send = (method: string, path: string, body?: unknown) =>
    app.request(`/api/inventory${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const on = (name: FaultName, parameters: Record<string, unknown> = {}, forSeconds = 60) =>
    send("PUT", `/faults/${name}`, { parameters, forSeconds });
  return { app, faults, send, on, lines };
}

describe("a fault", () => {
  test("is on until switched off, is listed meanwhile, and says so by metric and log", async () => {
    const { send, on, lines } = newApp();
    const answer = await on("latency", { delayMs: 5 });
    expect(answer.status).toBe(200);
    const listed = (await (await send("GET", "/faults")).json()) as { items: unknown[] };
    expect(listed.items).toEqual([await answer.json()]);
    expect(listed.items).toMatchObject([{ name: "latency", service: "inventory", parameters: { delayMs: 5 } }]);
    const isActive = async () =>
      Object.fromEntries((await telemetry.points("fault.active")).map((p) => [p.attributes["fault.name"], p.value]));
    expect(await isActive()).toMatchObject({ latency: 1, errors: 0, inventory_down: 0 });
    expect((await send("DELETE", "/faults/latency")).status).toBe(204);
    expect((await send("DELETE", "/faults/latency")).status).toBe(204);
    expect(await (await send("GET", "/faults")).json()).toEqual({ items: [] });
    expect(await isActive()).toMatchObject({ latency: 0 });
    expect(lines.map(({ action }) => action).filter((action) => action.startsWith("fault."))).toEqual([
      "fault.on",
      "fault.off",
    ]);
  });

  test("goes off by itself when its time has passed, and its effect ends", async () => {
    const ended = Promise.withResolvers<void>();
    const effects: Effects = {
      memory_pressure: async (_, signal) => signal.addEventListener("abort", () => ended.resolve()),
    };
    const { faults, on } = newApp({ effects });
    await on("memory_pressure", {}, 1);
    expect(faults.isAnyOn()).toBe(true);
    await ended.promise;
    expect(faults.list()).toEqual([]);
  });

  test("switched on again runs anew from then on, with one effect at a time", async () => {
    let running = 0;
    const effects: Effects = {
      memory_pressure: async (_, signal) => {
        running += 1;
        signal.addEventListener("abort", () => (running -= 1));
      },
    };
    const { faults, on } = newApp({ effects });
    await on("memory_pressure", { megabytes: 1 }, 1);
    await on("memory_pressure", { megabytes: 2 }, 3_600);
    expect(running).toBe(1);
    const [fault] = faults.list();
    expect(fault?.parameters).toEqual({ megabytes: 2 });
    expect(Date.parse(fault?.until ?? "")).toBeGreaterThan(Date.now() + 3_000_000);
    await faults.close();
    expect([running, faults.list()]).toEqual([0, []]);
  });

  test.each([
    ["latency", { delayMs: 0 }, "parameters.delayMs"],
    ["errors", { ratio: 2 }, "parameters.ratio"],
    ["errors", { chance: 1 }, "parameters"],
  ] as const)("%s with %p is refused and names what is wrong", async (name, parameters, field) => {
    const { on, faults } = newApp();
    const answer = await on(name, parameters);
    const told = problem.parse(await answer.json());
    expect([answer.status, told.fields?.[0]?.field, faults.isAnyOn()]).toEqual([400, field, false]);
  });

  test("of another service, or that nobody knows, is none of this one", async () => {
    const { on, send } = newApp();
    expect((await on("clock_skew")).status).toBe(404);
    expect((await send("PUT", "/faults/earthquake", {})).status).toBe(400);
  });

  test("needs faults:admin", async () => {
    const { app } = newApp();
    const authorization = `Bearer ${await issuer.sign("inventory:write telemetry:admin")}`;
    for (const [method, path] of [
      ["GET", ""],
      ["PUT", "/errors"],
      ["DELETE", "/errors"],
    ] as const) {
      const response = await app.request(`/api/inventory/faults${path}`, { method, headers: { authorization } });
      expect(response.status).toBe(403);
    }
  });

  test("cannot be switched on where fault injection is not enabled", async () => {
    const { on, send, faults } = newApp({ enabled: false });
    for (const answer of [await on("errors"), await send("GET", "/faults"), await send("DELETE", "/faults/errors")])
      expect(answer.status).toBe(404);
    expect(faults.isAnyOn()).toBe(false);
    expect((await send("GET", "")).status).toBe(200);
  });
});

describe("requests", () => {
  test("wait as long as latency says, and not at all once it is off", async () => {
    const { send, on } = newApp();
    await on("latency", { delayMs: 1_000 });
    const startedAt = performance.now();
    expect((await send("GET", "")).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(995);
    await send("DELETE", "/faults/latency");
    const again = performance.now();
    await send("GET", "");
    expect(performance.now() - again).toBeLessThan(995);
  });

  test("fail in the share errors say, as problems that say nothing of it", async () => {
    const { send, on } = newApp();
    await on("errors", { ratio: 0.5 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => send("GET", "")));
    const failed = answers.filter(({ status }) => status === 500);
    expect(failed.length).toBeWithin(50, 150);
    expect(await failed[0]?.text()).not.toMatch(/fault/i);
  });

  test("wait in the share tail_latency says", async () => {
    const { send, on } = newApp();
    await on("tail_latency", { delayMs: 300, ratio: 0.5 });
    const times = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const startedAt = performance.now();
        await send("GET", "");
        return performance.now() - startedAt;
      }),
    );
    expect(times.filter((ms) => ms >= 295).length).toBeWithin(10, 50);
  });

  test("are all 503 with Retry-After while inventory is down; what switches it off still works", async () => {
    const { send, on } = newApp();
    await on("inventory_down");
    const answer = await send("GET", "");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    expect((await send("DELETE", "/faults/inventory_down")).status).toBe(204);
    expect((await send("GET", "")).status).toBe(200);
  });
});
