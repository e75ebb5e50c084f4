import { describe, expect, test } from "bun:test";
import { memoryLogger } from "@vitrine/kit/testing/log";
import type { Customer } from "./customer.ts";
import { createEvents } from "./events.ts";
import type { Step } from "./plan.ts";
import { createTraffic } from "./traffic.ts";

/** Plays the steps on a clock that moves only when the traffic sleeps. */
async function play(steps: readonly Step[], act: Customer["act"], isResting = () => false) {
  const { logger, lines } = memoryLogger();
  const events = createEvents(logger);
  const ended = Promise.withResolvers<void>();
  const sent: number[] = [];
  let time = 0;
  function* plan() {
    yield* steps;
    ended.resolve();
  }
  const traffic = createTraffic({
    plan: plan(),
    customers: [{ act: (action) => (sent.push(Math.round(time)), act(action)) }],
    gateway: { isResting },
    events,
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
  });
  traffic.start();
  await ended.promise;
  const report = () => {
    events.report();
    return lines.findLast(({ action }) => action === "generator.report")?.["extra"];
  };
  return { sent, report, stop: () => traffic.stop() };
}

const steps = (count: number, afterMs: number): Step[] =>
  Array.from({ length: count }, () => ({ afterMs, customer: 0, action: { kind: "browse" } }));

describe("traffic", () => {
  test("sends each step when it is due, whether or not earlier ones were answered", async () => {
    const never = () => new Promise<boolean>(() => undefined);
    const { sent } = await play(steps(5, 100), never);
    expect(sent).toEqual([100, 200, 300, 400, 500]);
  });

  test("holds at most 64 requests at once and counts what it had to skip", async () => {
    const never = () => new Promise<boolean>(() => undefined);
    const { sent, report } = await play(steps(70, 10), never);
    expect(sent).toHaveLength(64);
    expect(report()).toEqual({ browse_skipped: 6 });
  });

  test("leaves a resting gateway alone", async () => {
    const { sent, report } = await play(
      steps(3, 10),
      async () => true,
      () => true,
    );
    expect(sent).toEqual([]);
    expect(report()).toEqual({ browse_skipped: 3 });
  });

  test("counts a customer who may not sign in yet as skipped, and stops when all have ended", async () => {
    const { stop, report } = await play(steps(2, 10), async () => false);
    await stop();
    expect(report()).toEqual({ browse_skipped: 2 });
  });
});
