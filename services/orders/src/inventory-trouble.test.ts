import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { order } from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import { bestOfThree } from "@vitrine/kit/testing/eventually";
import { held, startFakeInventory } from "./testing/fake-inventory.ts";
import { startOrders, watch } from "./testing/start-orders.ts";

const inventory = startFakeInventory();
const { fake } = inventory;
const release = fake.release;
let orders: Awaited<ReturnType<typeof startOrders>>;
const pieceId = "piece-1";
const timeoutMs = 500;

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: inventory.url, timeoutMs });
  await (
    await orders.as("clerk")
  )("PUT", `/api/catalog/${pieceId}`, watch);
});
afterEach(async () => {
  Object.assign(fake, { reserve: held, release });
  await orders.sweep();
});
afterAll(async () => {
  await orders.database.close();
  await inventory.stop();
});

const never = () => new Promise<Response>(() => undefined);
const other = { id: "0197c6a5-0000-7000-8000-000000000001", pieceId, quantity: 1 };

async function place() {
  const send = await orders.as(`customer-${crypto.randomUUID()}`);
  const response = await send("POST", "/api/orders", { pieceId, quantity: 1 });
  const location = response.headers.get("location") ?? "";
  return { send, response, location, id: location.slice("/api/orders/".length) };
}

describe("while inventory", () => {
  test.each([
    ["does not answer", never],
    ["answers 500", () => new Response("oops", { status: 500 })],
    ["answers 401", () => new Response("", { status: 401 })],
    ["answers text", () => new Response("<html>", { status: 201 })],
    ["answers JSON of another shape", () => Response.json({ ok: true }, { status: 201 })],
    ["answers for another reservation", () => held(other)],
    ["answers a conflict that is none of ours", () => Response.json({ code: "strange" }, { status: 409 })],
  ])("%s, an order is 503 with Retry-After, fails, and its reservation is released", async (_, reserve) => {
    fake.reserve = reserve;
    const { send, response, location, id } = await place();
    expect([response.status, problem.parse(await response.json()).code]).toEqual([503, "unavailable"]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    const kept = order.parse(await (await send("GET", location)).json());
    expect([kept.status, kept.reason]).toEqual(["failed", "inventory_unavailable"]);
    await orders.sweep();
    expect(fake.released).toContain(id);
    expect(orders.lines.at(-1)).toMatchObject({ action: "order.released", extra: { order_id: id, piece_id: pieceId } });
  });

  test("fails once, the reservation is sent again under the same id and the order is met", async () => {
    let calls = 0;
    fake.reserve = (request) => ((calls += 1) === 1 ? new Response("", { status: 503 }) : held(request));
    const { response, id } = await place();
    expect([response.status, calls]).toEqual([201, 2]);
    expect(fake.reserved.slice(-2).map((request) => request.id)).toEqual([id, id]);
  });

  test("cannot release either, the release stays due until it can, and is then sent once", async () => {
    fake.reserve = never;
    fake.release = () => new Response("", { status: 500 });
    const { id } = await place();
    await orders.sweep();
    fake.release = release;
    await orders.sweep();
    await orders.sweep();
    const [row] = await orders.database.query("select release_due from orders where id = $1", [id]);
    expect(row).toEqual({ release_due: false });
    const before = fake.released.length;
    await orders.sweep();
    expect(fake.released).toHaveLength(before);
  });

  test("is slow, the customer is answered within the time for one call and a half", async () => {
    fake.reserve = never;
    const enoughMs = timeoutMs * 1.5 + 1_000;
    const took = await bestOfThree(enoughMs, async () => {
      const startedAt = performance.now();
      await place();
      return performance.now() - startedAt;
    });
    expect(took).toBeLessThan(enoughMs);
  });
});

test("an order whose placing was cut off fails as interrupted and is released, and a young one is left alone", async () => {
  fake.reserve = () => {
    throw new Error("unused");
  };
  await orders.database.query("insert into customers (id) values ('anna')");
  const insert = `insert into orders
      (id, customer, piece_id, maison, piece_kind, quantity, unit_amount, currency, request_id, created_at)
    values ($1, 'anna', $2, 'Maison Test', 'watch', 1, 100, 'EUR', 'request-1', now() - $3::interval)`;
  const old = Bun.randomUUIDv7();
  const young = Bun.randomUUIDv7();
  await orders.database.query(insert, [old, pieceId, "2 minutes"]);
  await orders.database.query(insert, [young, pieceId, "1 second"]);
  await orders.sweep();
  const rows = await orders.database.query("select id, status, reason, release_due from orders where id = any($1)", [
    [old, young],
  ]);
  expect(rows).toEqual(
    expect.arrayContaining([
      { id: old, status: "failed", reason: "interrupted", release_due: false },
      { id: young, status: "placed", reason: null, release_due: false },
    ]),
  );
  expect(fake.released).toContain(old);
  expect(fake.released).not.toContain(young);
});

test("while PostgreSQL is away orders answer 503 with Retry-After, the sweep does not throw, and both recover", async () => {
  const own = await startOrders({ inventoryUrl: inventory.url, ownServer: true });
  const send = await own.as("anna");
  await send("PUT", `/api/catalog/${pieceId}`, watch);
  await own.server.stopServer();
  const away = await send("POST", "/api/orders", { pieceId, quantity: 1 });
  expect([away.status, problem.parse(await away.json()).code, away.headers.has("retry-after")]).toEqual([
    503,
    "unavailable",
    true,
  ]);
  await own.sweep();
  expect(own.lines.at(-1)?.action).toBe("order.sweep_failed");
  await own.server.startServer();
  expect((await send("POST", "/api/orders", { pieceId, quantity: 1 })).status).toBe(201);
  await own.database.close();
});
