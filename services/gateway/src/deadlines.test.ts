import { expect, spyOn, test } from "bun:test";
import { bestOfThree } from "@vitrine/kit/testing/eventually";
import { createDeadlines, type Deadline } from "./deadlines.ts";

test("what is not called off is told once its time is up, and nothing else", async () => {
  const deadlines = createDeadlines();
  const late: string[] = [];
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  const off = ["a", "b", "c", "d"].map((name) => deadlines.within(20, () => late.push(name)));
  deadlines.within(30, () => resolve(performance.now() - startedAt));
  // The first, one between, the last before it: all places of a chain.
  off[0]?.callOff();
  off[2]?.callOff();
  off[3]?.callOff();
  off[3]?.callOff();
  expect(await promise).toBeGreaterThanOrEqual(30);
  expect(late).toEqual(["b"]);
});

test("who is told late may ask for another time, and is told again", async () => {
  const deadlines = createDeadlines();
  const { promise, resolve } = Promise.withResolvers<void>();
  deadlines.within(1, () => deadlines.within(1, resolve));
  await promise;
});

test("nothing is lost by what was called off last, and nothing that came later", async () => {
  const deadlines = createDeadlines();
  const late: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const told = (name: string) => () => void late.push(name);
  const [only, again] = [deadlines.within(1, told("only")), deadlines.within(1, told("again"))];
  only.callOff();
  again.callOff();
  again.callOff();
  deadlines.within(1, told("a"));
  const last = deadlines.within(1, told("last"));
  last.callOff();
  deadlines.within(1, told("b"));
  last.callOff();
  deadlines.within(2, resolve);
  await promise;
  expect(late.toSorted()).toEqual(["a", "b"]);
});

test("of two that are late at once, one calls the other off", async () => {
  const deadlines = createDeadlines();
  const late: string[] = [];
  const pair = new Map<string, Deadline>();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const [name, other] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const tell = () => {
      late.push(name);
      pair.get(other)?.callOff();
    };
    pair.set(name, deadlines.within(1, tell));
  }
  deadlines.within(2, () => deadlines.within(2, resolve));
  await promise;
  expect(late).toHaveLength(1);
});

test("each is told at its time and not before, however soon others are", async () => {
  const deadlines = createDeadlines();
  const startedAt = performance.now();
  const told = (ms: number) =>
    new Promise<number>((resolve) => deadlines.within(ms, () => resolve(performance.now() - startedAt)));
  const [, middle, late] = await Promise.all([told(1), told(210), told(310)]);
  expect(middle).toBeGreaterThanOrEqual(210);
  expect(late).toBeGreaterThanOrEqual(310);
});

test("nobody is told much later than asked for", async () => {
  const measure = async () => {
    const startedAt = performance.now();
    await new Promise<void>((resolve) => createDeadlines().within(1, resolve));
    return performance.now() - startedAt;
  };
  expect(await bestOfThree(300, measure)).toBeLessThan(300);
});

test("one timer does for all that wait, holds no process up, and ends with the last of them", async () => {
  const begun = spyOn(globalThis, "setInterval");
  const ended = spyOn(globalThis, "clearInterval");
  try {
    const deadlines = createDeadlines();
    for (const round of [1, 2]) {
      deadlines.within(1, () => undefined).callOff();
      deadlines.within(1, () => undefined);
      const told = new Promise<void>((resolve) => deadlines.within(1, resolve));
      const timers = begun.mock.results.map(({ value }) => value as NodeJS.Timeout);
      expect(timers.at(-1)?.hasRef()).toBe(false);
      await told;
      const over = new Set(ended.mock.calls.map(([timer]) => timer));
      expect(timers.map((timer) => over.has(timer))).toEqual(Array<boolean>(round).fill(true));
    }
  } finally {
    begun.mockRestore();
    ended.mockRestore();
  }
});
