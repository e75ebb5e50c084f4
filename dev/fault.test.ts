import { describe, expect, test } from "bun:test";
import { createAuthApi } from "./auth-api.ts";
import { runFault, runScenario } from "./fault.ts";

const times = { since: "2026-11-21T08:00:00.000Z", until: "2026-11-21T08:02:00.000Z" };
const latency = { name: "latency", service: "orders", parameters: { delayMs: 500 }, ...times };

async function run(command: typeof runFault, args: readonly string[], answer?: Response) {
  const sent: { readonly request: string; readonly body: unknown }[] = [];
  const output: string[] = [];
  const api = createAuthApi({
    gatewayUrl: "http://gateway.test",
    base: "/api",
    token: async () => "abc",
    fetch: async (url, init) => {
      const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
      sent.push({ request: `${init.method} ${new URL(url).pathname}`, body });
      return answer ?? new Response(null, { status: 204 });
    },
  });
  await command(args, { api, write: (text) => output.push(text) });
  return { sent, output: output.join("") };
}

describe("bun run fault", () => {
  test("switches a fault on for a time, with its parameters, in the services that are named", async () => {
    const args = ["latency", "on", "--for", "2m", "--service", "orders", "--set", "delayMs=500"];
    const { sent, output } = await run(runFault, args, Response.json({ items: [latency] }));
    const body = { forSeconds: 120, services: ["orders"], parameters: { delayMs: 500 } };
    expect(sent).toEqual([{ request: "PUT /api/faults/latency", body }]);
    expect(output).toBe(`latency is on in orders until ${times.until}.\n`);
  });

  test("leaves everything that is not said to the service", async () => {
    const { sent } = await run(runFault, ["latency", "on"], Response.json({ items: [latency] }));
    expect(sent).toEqual([{ request: "PUT /api/faults/latency", body: {} }]);
  });

  test("switches a fault off", async () => {
    const { sent, output } = await run(runFault, ["errors", "off"]);
    expect(sent).toEqual([{ request: "DELETE /api/faults/errors", body: undefined }]);
    expect(output).toBe("errors is off.\n");
  });

  test("lists what is on and which service says nothing, for people and as JSON", async () => {
    const item = { name: "latency", description: "Waits.", services: ["orders"], parameters: { delayMs: 800 } };
    const overview = {
      items: [{ ...item, active: [latency] }],
      silent: [{ service: "inventory", reason: "inventory does not answer" }],
    };
    const { output } = await run(runFault, ["list"], Response.json(overview));
    expect(output).toContain(`orders until ${times.until}`);
    expect(output).toContain("inventory: inventory does not answer");
    expect(JSON.parse((await run(runFault, ["list", "--json"], Response.json(overview))).output)).toEqual(overview);
  });

  test.each([
    [["earthquake", "on"], 'There is no fault "earthquake"'],
    [["latency"], 'Say "fault latency on"'],
    [["latency", "maybe"], 'Say "fault latency on"'],
    [["latency", "on", "--for", "long"], '--for: "long" is no time'],
    [["latency", "on", "--set", "delayMs=much"], '--set delayMs: "much" is no number'],
    [["latency", "on", "off"], '"off" is one word too many'],
    [["latency", "on", "--loud"], "--loud"],
  ])("%p is refused and says what is wrong", async (args, message) => {
    await expect(run(runFault, args)).rejects.toThrow(message);
  });

  test("says what the other side says when it refuses", async () => {
    const problem = {
      title: "There is nothing here",
      status: 404,
      type: "about:blank",
      code: "not_found",
      requestId: "r1",
    };
    const refusal = Response.json({ ...problem, detail: "fault injection is not enabled here" }, { status: 404 });
    await expect(run(runFault, ["errors", "on"], refusal)).rejects.toThrow("fault injection is not enabled here");
  });
});

describe("bun run scenario", () => {
  const sale = { name: "sale", ratePerSecond: 40, since: times.since, until: times.until };

  test("plays a scenario for a time at a rate", async () => {
    const { sent, output } = await run(runScenario, ["sale", "--rate", "40", "--for", "10m"], Response.json(sale));
    const body = { name: "sale", ratePerSecond: 40, forSeconds: 600 };
    expect(sent).toEqual([{ request: "PUT /api/scenarios/current", body }]);
    expect(output).toBe(`sale is played at 40 arrivals/s until ${times.until}.\n`);
  });

  test("ends all traffic", async () => {
    expect((await run(runScenario, ["off"])).sent).toEqual([
      { request: "DELETE /api/scenarios/current", body: undefined },
    ]);
  });

  test("shows what was sent, most of it first", async () => {
    const count = { method: "GET", route: "/api/catalog", status: 200, scenario: "calm", count: 3 };
    const answer = {
      startedAt: times.since,
      now: times.until,
      total: 10,
      skipped: 1,
      played: [sale],
      counts: [count, { ...count, status: 0, count: 7 }].map((one) =>
        Object.assign(one, { firstAt: times.since, lastAt: times.until }),
      ),
      minutes: [],
    };
    const { output } = await run(runScenario, ["report"], Response.json(answer));
    expect(output).toMatch(/^10 requests since [^]*no answer[^]*200/);
  });
});
