import { describe, expect, test } from "bun:test";
import { memoryLogger } from "@vitrine/kit/testing/log";
import type { Customer } from "./customer.ts";
import { createEvents } from "./events.ts";
import type { Step } from "./plan.ts";
import { createTraffic, type TrafficOptions } from "./traffic.ts";

/** Plays the steps on a clock that moves only when the traffic sleeps. */
async function play(steps: readonly Step[], act: Customer["act"], changed: Partial<TrafficOptions> = {}) {
  const { logger, lines } = memoryLogger();
  const events = createEvents(logger);
  const ended = Promise.withResolvers<void>();
  const sent: number[] = [];
  let time = 0;
  let skipped = 0;
  function* plan() {
    yield* steps;
    ended.resolve();
  }
  const traffic = createTraffic({
    plan: plan(),
    customers: [{ act: (action) => (sent.push(Math.round(time)), act(action)) }],
    attack: async () => true,
    isPlaying: () => true,
    gateway: { isResting: () => false },
    events,
    report: { skipped: () => (skipped += 1) },
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    ...changed,
  });
  traffic.start();
  await ended.promise;
  const report = () => {
    events.report();
    return lines.findLast(({ action }) => action === "generator.report")?.["extra"];
  };
  return { sent, report, stop: () => traffic.stop(), skipped: () => skipped };
}

const steps = (count: number, afterMs: number): Step[] =>
  Array.from({ length: count }, () => ({ afterMs, customer: 0, action: { kind: "browse" } }));

const never = () => new Promise<boolean>(() => undefined);

describe("traffic", () => {
  test("sends each step when it is due, whether or not earlier ones were answered", async () => {
    expect((await play(steps(5, 100), never)).sent).toEqual([100, 200, 300, 400, 500]);
  });

  test("holds at most a thousand requests at once and counts what it had to skip", async () => {
    const { sent, report, skipped } = await play(steps(1_006, 1), never);
    expect(sent).toHaveLength(1_000);
    expect([report(), skipped()]).toEqual([{ browse_skipped: 6 }, 6]);
  });

  test("leaves a resting gateway alone", async () => {
    const { sent, report } = await play(steps(3, 10), async () => true, { gateway: { isResting: () => true } });
    expect([sent, report()]).toEqual([[], { browse_skipped: 3 }]);
  });

  test("counts a customer who has nothing to do as skipped, and stops when all have ended", async () => {
    const { stop, report } = await play(steps(2, 10), async () => false);
    await stop();
    expect(report()).toEqual({ browse_skipped: 2 });
  });

  test("lets no arrival go by while nothing is played, and takes none later for those that might have come", async () => {
    let looks = 0;
    const { sent } = await play(steps(2, 100), never, { isPlaying: () => (looks += 1) > 10 });
    expect(sent).toEqual([2_100, 2_200]);
  });

  test("an attack is nobody's doing but the attacker's", async () => {
    const attacks: string[] = [];
    const { sent, stop } = await play([{ afterMs: 1, attack: "forge_token" }], never, {
      attack: async (name) => attacks.push(name) > 0,
    });
    await stop();
    expect([sent, attacks]).toEqual([[], ["forge_token"]]);
  });
});
