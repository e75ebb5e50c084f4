import { describe, expect, test } from "bun:test";
import { createGate } from "./gate.ts";

const options = { waitMs: 20, maxWaiting: 4, waitingPerPlace: 1 };

describe("a gate", () => {
  test("has its places for each key, and a second leave gives nothing away", async () => {
    const gate = createGate(options);
    const first = await gate.enter("a", 2);
    await gate.enter("a", 2);
    await gate.enter("b", 2);
    expect(gate.load()).toEqual({ inside: 3, waiting: 0 });
    first?.leave();
    first?.leave();
    expect(gate.load().inside).toBe(2);
    expect(await gate.enter("a", 2)).toBeDefined();
    expect(await gate.enter("a", 2)).toBeUndefined();
  });

  test("hands a place to who waited longest", async () => {
    const gate = createGate({ ...options, waitMs: 5_000, waitingPerPlace: 2 });
    const inside = await gate.enter("a", 1);
    const order: string[] = [];
    const queue = async (name: string) => {
      const place = await gate.enter("a", 1);
      order.push(name);
      place?.leave();
    };
    const second = queue("second");
    const third = queue("third");
    expect(gate.load()).toEqual({ inside: 1, waiting: 2 });
    inside?.leave();
    await Promise.all([second, third]);
    expect(order).toEqual(["second", "third"]);
    expect(gate.load()).toEqual({ inside: 0, waiting: 0 });
  });

  test("turns away at once who finds the queue of the key, or of all keys, full", async () => {
    const gate = createGate({ waitMs: 5_000, maxWaiting: 2, waitingPerPlace: 1 });
    const places = [await gate.enter("a", 1), await gate.enter("b", 1), await gate.enter("c", 1)];
    const waiting = [gate.enter("a", 1), gate.enter("b", 1)];
    expect(gate.enter("a", 1)).toBeUndefined();
    expect(gate.enter("c", 1)).toBeUndefined();
    for (const place of places) place?.leave();
    for (const place of await Promise.all(waiting)) place?.leave();
    expect(gate.load()).toEqual({ inside: 0, waiting: 0 });
  });

  test("counts nobody twice who came in just before the time was up", async () => {
    const gate = createGate(options);
    const inside = [await gate.enter("a", 1), await gate.enter("b", 1)];
    const admitted = gate.enter("a", 1);
    inside[0]?.leave();
    const place = await admitted;
    // Begins to wait after the other, and so is told after it.
    expect(await gate.enter("b", 1)).toBeUndefined();
    expect(gate.load()).toEqual({ inside: 2, waiting: 0 });
    for (const one of [place, inside[1]]) one?.leave();
    expect(gate.load()).toEqual({ inside: 0, waiting: 0 });
  });

  test("turns away who has waited too long, and loses no place by it", async () => {
    const gate = createGate(options);
    const inside = await gate.enter("a", 1);
    expect(await gate.enter("a", 1)).toBeUndefined();
    inside?.leave();
    expect(gate.load()).toEqual({ inside: 0, waiting: 0 });
    expect(await gate.enter("a", 1)).toBeDefined();
  });
});
