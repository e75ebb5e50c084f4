import { expect, test } from "bun:test";
import { createDeadlines } from "./deadlines.ts";

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
