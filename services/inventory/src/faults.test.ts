import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { FaultName } from "@vitrine/contracts/faults";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { startInventory } from "./testing/start-inventory.ts";

let telemetry: TestTelemetry;
let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeAll(async () => {
  telemetry = startTestTelemetry();
  inventory = await startInventory();
  await inventory.send("POST", "/piece-1/restock", { quantity: 10_000 });
});
afterEach(() => inventory.faults.close());
afterAll(async () => {
  await inventory.database.close();
  await telemetry.stop();
});

/** Every fault must have moved its metric by then, and so must its end. */
const noticeableMs = 30_000;

async function switchOn(name: FaultName, parameters: Record<string, number>): Promise<void> {
  const answer = await inventory.send("PUT", `/faults/${name}`, { forSeconds: 60, parameters });
  expect(answer.status).toBe(200);
}

const reserve = () =>
  inventory.send("POST", "/reservations", { id: crypto.randomUUID(), pieceId: "piece-1", quantity: 1 });

/** What a dashboard reads, per request, of the requests `load` makes. */
async function measure(load: () => Promise<unknown>) {
  const read = async () => {
    const requests = (await telemetry.histogram("http.server.request.duration")).filter(
      ({ attributes }) => !String(attributes["http.route"]).includes("faults"),
    );
    const sum = (of: typeof requests, key: "count" | "sum") => of.reduce((total, point) => total + point[key], 0);
    const failed = requests.filter(({ attributes }) => Number(attributes["http.response.status_code"]) >= 500);
    const slow = (await telemetry.points("db.slow_queries")).reduce((total, { value }) => total + value, 0);
    return { count: sum(requests, "count"), seconds: sum(requests, "sum"), failed: sum(failed, "count"), slow };
  };
  const before = await read();
  await load();
  const after = await read();
  const count = after.count - before.count;
  return {
    seconds: (after.seconds - before.seconds) / count,
    failed: (after.failed - before.failed) / count,
    slow: after.slow - before.slow,
  };
}

const some = async () => {
  await Promise.all(Array.from({ length: 8 }, reserve));
};

describe("within thirty seconds a fault moves its metric, and its end moves it back:", () => {
  test.each([
    ["latency", { delayMs: 1_200 }, (seen) => seen.seconds > 1.1],
    ["tail_latency", { delayMs: 4_000, ratio: 0.5 }, (seen) => seen.seconds > 0.9],
    ["errors", { ratio: 0.7 }, (seen) => seen.failed > 0.2],
    ["slow_sql", { delayMs: 600, ratio: 1 }, (seen) => seen.slow >= 8],
    ["pool_exhaustion", { leave: 0 }, (seen) => seen.failed > 0.9],
    ["lock_contention", { holdMs: 2_000 }, (seen) => seen.slow >= 3],
    ["inventory_down", {}, (seen) => seen.failed === 1],
  ] satisfies [FaultName, Record<string, number>, (seen: Awaited<ReturnType<typeof measure>>) => boolean][])(
    "%s",
    async (name, parameters, isSeen) => {
      await some();
      expect(isSeen(await measure(some))).toBe(false);
      await switchOn(name, parameters);
      const deadline = performance.now() + noticeableMs;
      let seen = await measure(some);
      while (!isSeen(seen) && performance.now() < deadline) seen = await measure(some);
      expect(isSeen(seen), JSON.stringify(seen)).toBe(true);
      expect((await inventory.send("DELETE", `/faults/${name}`)).status).toBe(204);
      while (isSeen(seen) && performance.now() < deadline) seen = await measure(some);
      expect(isSeen(seen), JSON.stringify(seen)).toBe(false);
    },
    noticeableMs * 2,
  );
});

test("where faults are not enabled nothing can be switched on, and nothing stands in the way of requests", async () => {
  const own = await startInventory({ faults: false });
  expect((await own.send("PUT", "/faults/errors", { parameters: { ratio: 1 } })).status).toBe(404);
  expect((await own.send("GET", "/faults")).status).toBe(404);
  expect((await own.send("GET", "")).status).toBe(200);
  await own.database.close();
});
