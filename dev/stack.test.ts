import { describe, expect, test } from "bun:test";
import { Stack } from "./stack.ts";
import { SetupError } from "./setup-error.ts";
import { fakeSpawn, fakeSpec, ManualClock, settle } from "./testing.ts";

function build(options: { readonly obedient?: boolean } = {}) {
  const clock = new ManualClock();
  const { spawn, children } = fakeSpawn(options);
  const stack = new Stack({ clock, spawn, report: () => undefined });
  const started = () => children.map((child) => child.launch.argv[0]);
  const stateOf = (name: string) => stack.rows.find((row) => row.name === name)?.state;
  return { clock, children, stack, started, stateOf };
}

describe("a stack of processes", () => {
  test("starts each one once what it needs is ready", async () => {
    const { clock, stack, started } = build();
    let waitsFor: string | undefined = "recovery";
    stack.add(fakeSpec("postgres", { ready: () => Promise.resolve(waitsFor) }));
    stack.add(fakeSpec("auth"), { after: ["postgres"] });
    stack.add(fakeSpec("orders"), { after: ["postgres", "auth"] });
    await settle();
    expect(started()).toEqual(["postgres"]);
    waitsFor = undefined;
    await clock.advance(100);
    expect(started()).toEqual(["postgres", "auth", "orders"]);
  });

  test("does not wait for what is not part of it", async () => {
    const { stack, started } = build();
    stack.add(fakeSpec("orders"), { after: ["postgres", "auth"] });
    await settle();
    expect(started()).toEqual(["orders"]);
  });

  test("starts nothing on top of what has failed, says so, and catches up when it is mended", async () => {
    const { clock, stack, started, stateOf } = build();
    let broken = true;
    const launch = () =>
      broken ? Promise.reject(new SetupError("broken")) : Promise.resolve({ argv: ["auth"], cwd: "/", env: {} });
    stack.add(fakeSpec("auth", { launch }));
    stack.add(fakeSpec("gateway"), { after: ["auth"] });
    await stack.settled(["auth", "gateway"]);
    expect(started()).toEqual([]);
    expect(stack.rows.map((row) => row.status)).toEqual(["failed: broken", "waits for auth"]);
    broken = false;
    await stack.restart(new Set(["auth"]));
    await clock.advance(100);
    expect(started()).toEqual(["auth", "gateway"]);
    expect(stateOf("gateway")).toBe("ready");
  });

  test("starts what can do without what has failed", async () => {
    const { stack, started } = build();
    stack.add(fakeSpec("loki", { launch: () => Promise.reject(new SetupError("broken")) }));
    stack.add(fakeSpec("collector"), { after: ["loki"], evenIfFailed: true });
    await settle();
    expect(started()).toEqual(["collector"]);
  });

  test("does not let one that is slow keep the others for ever", async () => {
    const { clock, stack, started } = build();
    stack.add(fakeSpec("auth", { ready: () => Promise.resolve("something") }));
    stack.add(fakeSpec("gateway"), { after: ["auth"] });
    await clock.advance(31_000);
    expect(started()).toEqual(["auth", "gateway"]);
  });

  test("stops what makes traffic first and what keeps data last", async () => {
    const { children, stack } = build({ obedient: false });
    const names = ["postgres", "loki", "collector", "gateway", "auth", "orders", "inventory", "generator"];
    for (const name of names) stack.add(fakeSpec(name));
    await settle();
    const stopped: string[] = [];
    const ended = new Set<(typeof children)[number]>();
    const stopping = stack.stop();
    while (ended.size < names.length) {
      await settle();
      const asked = children.filter((child) => child.signals.includes("SIGTERM") && !ended.has(child));
      expect(asked).not.toEqual([]);
      for (const child of asked) {
        ended.add(child);
        child.exit(0);
      }
      stopped.push(asked.map((child) => child.launch.argv[0]).join("+"));
    }
    await stopping;
    expect(stopped).toEqual(["generator", "orders+inventory", "auth", "postgres+gateway", "collector", "loki"]);
  });

  test("once it stops, starts nothing that was still waiting", async () => {
    const { clock, stack, started } = build();
    stack.add(fakeSpec("postgres", { ready: () => Promise.resolve("recovery") }));
    stack.add(fakeSpec("auth"), { after: ["postgres"] });
    await settle();
    await stack.stop();
    await clock.advance(60_000);
    expect(started()).toEqual(["postgres"]);
  });

  test("restarts tier by tier: the gateway only when its services are back", async () => {
    const { clock, stack, started } = build();
    let ordersWaits: string | undefined;
    stack.add(fakeSpec("gateway"));
    stack.add(fakeSpec("orders", { ready: () => Promise.resolve(ordersWaits) }));
    await settle();
    ordersWaits = "migrations";
    const restarted = stack.restart(new Set(["gateway", "orders"]));
    await clock.advance(1_000);
    expect(started()).toEqual(["gateway", "orders", "orders"]);
    ordersWaits = undefined;
    await clock.advance(1_000);
    await restarted;
    expect(started()).toEqual(["gateway", "orders", "orders", "gateway"]);
  });

  test("restarts the rest although one does not come back", async () => {
    const { clock, stack, started } = build();
    let ordersWaits: string | undefined;
    stack.add(fakeSpec("gateway"));
    stack.add(fakeSpec("orders", { ready: () => Promise.resolve(ordersWaits) }));
    await settle();
    ordersWaits = "for ever";
    const restarted = stack.restart(new Set(["gateway", "orders"]));
    await clock.advance(5_000);
    await restarted;
    expect(started()).toEqual(["gateway", "orders", "orders", "gateway"]);
  });

  test("tells of an engine that is still being built", () => {
    const { stack } = build();
    stack.announce("loki", "engine", "providing", "building 42%");
    expect(stack.rows).toEqual([{ name: "loki", kind: "engine", state: "providing", status: "building 42%" }]);
    expect(stack.records[0]).toMatchObject({ pid: null, state: "providing", detail: "building 42%" });
  });
});
