import { beforeEach, describe, expect, test } from "bun:test";
import { type FaultName, type FaultSwitch, maxFaultSeconds } from "@vitrine/contracts/faults";
import { until } from "@vitrine/kit/testing/eventually";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { createDirector } from "./director.ts";

let time: number;
let switched: unknown[];

beforeEach(() => {
  time = Date.parse("2026-11-21T08:00:00.000Z");
  switched = [];
});

function newDirector(fail = false) {
  const { logger, lines } = memoryLogger();
  const desk = {
    switchOn: async (name: FaultName, request: FaultSwitch) => {
      switched.push([name, request]);
      if (fail) throw new Error("not enabled");
      return [];
    },
    switchOff: async (name: FaultName) => void switched.push([name, "off"]),
  };
  return { director: createDirector({ ratePerSecond: 4, dayMinutes: 60, desk, logger, now: () => time }), lines };
}

describe("the director", () => {
  test("plays nothing until told, then what it was told, then an ordinary day", () => {
    const { director } = newDirector();
    expect(director.current()).toBeNull();
    director.play({ name: "sale", forSeconds: 60 });
    expect(director.current()).toMatchObject({ name: "sale", ratePerSecond: 40, until: "2026-11-21T08:01:00.000Z" });
    time += 61_000;
    expect(director.current()).toMatchObject({ name: "calm", since: "2026-11-21T08:01:00.000Z", until: null });
    void director.stop();
    expect(director.current()).toBeNull();
    expect(director.played().map(({ name, until }) => [name, until])).toEqual([
      ["sale", "2026-11-21T08:01:00.000Z"],
      ["calm", "2026-11-21T08:01:01.000Z"],
    ]);
  });

  test("a rate follows the day, unless it was asked for: then it is steady", () => {
    const { director } = newDirector();
    director.play({ name: "calm" });
    const [morning, night] = [director.at(0), director.at(45 * 60_000)];
    expect(night.ratePerSecond).toBeLessThan(morning.ratePerSecond);
    director.play({ name: "calm", ratePerSecond: 1_000 });
    expect([director.at(0).ratePerSecond, director.at(45 * 60_000).ratePerSecond]).toEqual([1_000, 1_000]);
  });

  test("has switched off what it switched on when it has stopped", async () => {
    const { director } = newDirector();
    director.play({ name: "outage" });
    await director.stop();
    expect(switched.slice(-2)).toEqual([
      ["inventory_down", "off"],
      ["latency", "off"],
    ]);
  });

  test("the faults of a scenario go on with it and off with it", async () => {
    const { director } = newDirector();
    director.play({ name: "outage", forSeconds: 120 });
    director.play({ name: "calm" });
    await until(() => switched.length === 4);
    expect(switched).toEqual([
      ["inventory_down", { forSeconds: 120, services: ["inventory"] }],
      ["latency", { forSeconds: 120, services: ["orders"] }],
      ["inventory_down", "off"],
      ["latency", "off"],
    ]);
  });

  test("the faults of a scenario that outlasts them are switched on anew before they end, and end with it", async () => {
    const { director } = newDirector();
    const startedAt = time;
    director.play({ name: "outage", forSeconds: 6_000 });
    for (const [second, switches] of [
      [1_790, 2],
      [1_800, 4],
      [3_590, 4],
      [3_600, 6],
      [5_990, 6],
      [6_000, 8],
    ] as const) {
      time = startedAt + second * 1_000;
      expect(director.current()?.name).toBe(second < 6_000 ? "outage" : "calm");
      await until(() => switched.length >= switches);
    }
    time += maxFaultSeconds * 1_000;
    director.current();
    await director.stop();
    const on = (forSeconds: number) => [
      ["inventory_down", { forSeconds, services: ["inventory"] }],
      ["latency", { forSeconds, services: ["orders"] }],
    ];
    const off = [
      ["inventory_down", "off"],
      ["latency", "off"],
    ];
    expect(switched).toEqual([...on(3_600), ...on(3_600), ...on(2_400), ...off]);
  });

  test("its faults are on in the end when it is played anew, however long switching takes", async () => {
    const { logger } = memoryLogger();
    const on = new Set<FaultName>();
    const off: (() => void)[] = [];
    const desk = {
      switchOn: async (name: FaultName) => {
        on.add(name);
        return [];
      },
      switchOff: (name: FaultName) =>
        new Promise<void>((resolve) => {
          off.push(() => {
            on.delete(name);
            resolve();
          });
        }),
    };
    const director = createDirector({ ratePerSecond: 4, dayMinutes: 60, desk, logger, now: () => time });
    director.play({ name: "outage" });
    director.play({ name: "outage" });
    for (let switches = 1; switches <= 2; switches += 1) {
      await until(() => off.length === switches);
      off.at(-1)?.();
    }
    await until(() => on.size === 2);
    expect(on).toEqual(new Set(["inventory_down", "latency"]));
  });

  test("a scenario whose faults cannot be switched goes on without them, and says so", async () => {
    const { director, lines } = newDirector(true);
    director.play({ name: "outage" });
    await until(() => lines.some(({ level, action }) => level === "warn" && action === "generator.scenario"));
    expect(director.current()?.name).toBe("outage");
  });
});
