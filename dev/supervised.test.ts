import { describe, expect, test } from "bun:test";
import { SetupError } from "./setup-error.ts";
import { type ProcessReport, type ProcessSpec, Supervised } from "./supervised.ts";
import { fakeSpawn, fakeSpec, ManualClock, settle } from "./testing.ts";

async function start(overrides: Partial<ProcessSpec> = {}, options: { readonly obedient?: boolean } = {}) {
  const clock = new ManualClock();
  const { spawn, children } = fakeSpawn(options);
  const reports: ProcessReport[] = [];
  const supervised = new Supervised(fakeSpec("orders", overrides), {
    clock,
    spawn,
    report: (_, report) => reports.push(report),
  });
  supervised.start();
  await settle();
  const told = (kind: ProcessReport["kind"]) => reports.filter((report) => report.kind === kind);
  return { clock, children, supervised, reports, told };
}

describe("a supervised process", () => {
  test("is ready once its probe says so, and not before", async () => {
    let waitsFor: string | undefined = "the database";
    const { clock, supervised, told } = await start({ ready: () => Promise.resolve(waitsFor) });
    expect(supervised.record).toMatchObject({ state: "starting", detail: "the database", pid: 1000 });
    waitsFor = undefined;
    await clock.advance(100);
    expect(supervised.state).toBe("ready");
    expect(await supervised.settled).toBe("ready");
    expect(told("ready")).toEqual([{ kind: "ready", tookMs: 100 }]);
  });

  test("that takes long is mentioned once, with what it waits for", async () => {
    const { clock, told } = await start({ ready: () => Promise.resolve("postgres (refused)") });
    await clock.advance(120_000);
    expect(told("slow")).toEqual([{ kind: "slow", waitsFor: "postgres (refused)" }]);
  });

  test("that crashes starts again after half a second, then after twice as long each time", async () => {
    const { clock, children, supervised, told } = await start();
    for (const pauseMs of [500, 1_000, 2_000, 4_000]) {
      children.at(-1)?.exit(1);
      await settle();
      expect(supervised.state).toBe("restarting");
      expect(told("crashed").at(-1)).toMatchObject({ againInMs: pauseMs });
      const before = children.length;
      await clock.advance(pauseMs - 1);
      expect(children).toHaveLength(before);
      await clock.advance(1);
      expect(children).toHaveLength(before + 1);
    }
    expect(supervised.record).toMatchObject({ restarts: 4, lastExit: { code: 1, signal: null } });
  });

  test("that crashes five times within a minute is left down", async () => {
    const { clock, children, supervised, told } = await start();
    for (let crash = 0; crash < 5; crash += 1) {
      children.at(-1)?.exit(null, "SIGSEGV");
      await clock.advance(10_000);
    }
    expect(supervised.state).toBe("failed");
    expect(children).toHaveLength(5);
    expect(told("gave_up")).toEqual([{ kind: "gave_up", detail: "crashed 5 times within 60 s" }]);
    await clock.advance(600_000);
    expect(children).toHaveLength(5);
  });

  test("that crashes now and then is started again for ever", async () => {
    const { clock, children, supervised } = await start();
    for (let crash = 0; crash < 12; crash += 1) {
      children.at(-1)?.exit(1);
      await clock.advance(20_000);
    }
    expect(supervised.state).toBe("ready");
    expect(children).toHaveLength(13);
  });

  test("that was left down comes back when its files change, with a clean slate", async () => {
    const { clock, children, supervised } = await start();
    for (let crash = 0; crash < 5; crash += 1) {
      children.at(-1)?.exit(1);
      await clock.advance(5_000);
    }
    expect(supervised.state).toBe("failed");
    await supervised.restart();
    expect(supervised.state).toBe("ready");
    children.at(-1)?.exit(1);
    await settle();
    expect(supervised.state).toBe("restarting");
  });

  test("that is restarted is ended in order, and that is no crash", async () => {
    const { children, supervised, told } = await start();
    await supervised.restart();
    expect(children[0]?.signals[0]).toBe("SIGTERM");
    expect(children).toHaveLength(2);
    expect(supervised.record).toMatchObject({ state: "ready", restarts: 0, pid: 1001 });
    expect(told("crashed")).toEqual([]);
  });

  test("that is told to stop while it waits to be started again is not started again", async () => {
    const { clock, children, supervised } = await start();
    children[0]?.exit(1);
    await settle();
    await supervised.stop();
    await clock.advance(60_000);
    expect(children).toHaveLength(1);
    expect(supervised.state).toBe("stopped");
  });

  test("that does not end within ten seconds is killed", async () => {
    const { clock, children, supervised, told } = await start({}, { obedient: false });
    const stopped = supervised.stop();
    await clock.advance(9_999);
    expect(children[0]?.signals).toEqual(["SIGTERM"]);
    await clock.advance(1);
    await stopped;
    expect(children[0]?.signals).toContain("SIGKILL");
    expect(told("killed")).toHaveLength(1);
    expect(supervised.state).toBe("stopped");
  });

  test("is asked to end by the signal its program wants", async () => {
    const { children, supervised } = await start({ stopSignal: "SIGINT" });
    await supervised.stop();
    expect(children[0]?.signals[0]).toBe("SIGINT");
  });

  test("leaves none of its own processes behind when it crashes", async () => {
    const { children } = await start();
    children[0]?.exit(1);
    await settle();
    expect(children[0]?.signals).toContain("SIGKILL");
  });

  test("that can never start is left down at once, with the reason", async () => {
    const { children, supervised } = await start({ launch: () => Promise.reject(new SetupError("no data folder")) });
    expect(supervised.record).toMatchObject({ state: "failed", detail: "no data folder" });
    expect(children).toEqual([]);
  });

  test("that runs but can never be ready is ended and left down", async () => {
    const { children, supervised } = await start({ ready: () => Promise.reject(new SetupError("other secrets")) });
    expect(supervised.record).toMatchObject({ state: "failed", detail: "other secrets", pid: null });
    expect(children[0]?.signals[0]).toBe("SIGTERM");
  });

  test("whose program does not exist is left down with the fault of the system", async () => {
    const clock = new ManualClock();
    const supervised = new Supervised(fakeSpec("loki", { kind: "engine" }), {
      clock,
      spawn: () => Promise.reject(new Error("ENOENT: no such file")),
      report: () => undefined,
    });
    supervised.start();
    await settle();
    expect(supervised.record).toMatchObject({ state: "failed", detail: "cannot be started: ENOENT: no such file" });
  });
});
