import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { FaultName } from "@vitrine/contracts/faults";
import { bestOfThree } from "@vitrine/kit/testing/eventually";
import { startFakeInventory } from "./testing/fake-inventory.ts";
import { startOrders, watch } from "./testing/start-orders.ts";

const inventory = startFakeInventory();
let orders: Awaited<ReturnType<typeof startOrders>>;
let send: Awaited<ReturnType<(typeof orders)["as"]>>;

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: inventory.url, faults: true });
  send = await orders.as("anna");
  await send("PUT", "/api/catalog/piece-1", watch);
  await place();
});
afterEach(() => orders.faults.close());
afterAll(async () => {
  await orders.database.close();
  await inventory.stop();
});

async function switchOn(name: FaultName, parameters: Record<string, number>): Promise<void> {
  const token = await orders.issuer.sign("faults:admin");
  const response = await orders.app.request(`/api/orders/faults/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ forSeconds: 60, parameters }),
  });
  expect(response.status).toBe(200);
}

/** Status of an order, and the milliseconds it took. */
async function place(): Promise<{ readonly status: number; readonly ms: number }> {
  const startedAt = performance.now();
  const { status } = await send("POST", "/api/orders", { pieceId: "piece-1", quantity: 1 });
  return { status, ms: performance.now() - startedAt };
}

async function longestOf(count: number): Promise<number> {
  const times = await Promise.all(Array.from({ length: count }, place));
  return Math.max(...times.map(({ ms }) => ms));
}

describe("a fault that is on is felt by who orders, and no more once it is off:", () => {
  test("errors", async () => {
    await switchOn("errors", { ratio: 1 });
    expect((await place()).status).toBe(500);
    await orders.faults.close();
    expect((await place()).status).toBe(201);
  });

  test.each<[FaultName, Record<string, number>]>([
    ["latency", { delayMs: 2_000 }],
    ["slow_sql", { delayMs: 1_000, ratio: 1 }],
    ["lock_contention", { holdMs: 3_000 }],
  ])("%s", async (name, parameters) => {
    await switchOn(name, parameters);
    let longest = 0;
    for (let times = 0; times < 5 && longest < 1_500; times += 1) longest = Math.max(longest, await longestOf(4));
    expect(longest).toBeGreaterThan(1_500);
    await orders.faults.close();
    expect(await bestOfThree(1_500, async () => (await place()).ms)).toBeLessThan(1_500);
  });
});
