import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { wallet } from "@vitrine/contracts/customers";
import { stockLevel } from "@vitrine/contracts/inventory";
import { orderPage } from "@vitrine/contracts/orders";
import { until } from "@vitrine/kit/testing/eventually";
import { startShop } from "./shop.ts";

let shop: Awaited<ReturnType<typeof startShop>>;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

const levelOf = async (pieceId: string) => (await shop.inventory.send("GET", `/${pieceId}`)).json();

function tally(values: readonly number[]): Record<number, number> {
  return Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));
}

describe("orders and inventory", () => {
  test("of 64 customers who order one last piece at once exactly one gets it", async () => {
    const pieceId = await shop.stock(1);
    const statuses = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const send = await shop.orders.as(`buyer-${index}`);
        return (await send("POST", "/api/orders", { pieceId, quantity: 1 })).status;
      }),
    );
    expect(tally(statuses)).toEqual({ 201: 1, 409: 63 });
    expect(await levelOf(pieceId)).toMatchObject({ available: 0, reserved: 1, sold: 0 });
  });

  test("one order sent 20 times at once under one key reserves once", async () => {
    const pieceId = await shop.stock(10);
    const send = await shop.orders.as("patient-buyer");
    const place = () => send("POST", "/api/orders", { pieceId, quantity: 2 }, { "idempotency-key": "once" });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await place()).status));
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(0);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    expect((await place()).status).toBe(201);
    expect(await levelOf(pieceId)).toMatchObject({ available: 8, reserved: 2 });
    expect(orderPage.parse(await (await send("GET", "/api/orders")).json()).items).toHaveLength(1);
  });

  test("an order interrupted after its reservation gives the pieces back once it is swept", async () => {
    const pieceId = await shop.stock(5);
    const id = Bun.randomUUIDv7();
    await shop.orders.database.query(
      `with c as (insert into customers (id) values ('anna'))
       insert into orders
         (id, customer, piece_id, maison, piece_kind, quantity, unit_amount, currency, request_id, created_at)
       values ($1, 'anna', $2, 'Maison Test', 'watch', 3, 100, 'EUR', 'request-1', now() - interval '2 minutes')`,
      [id, pieceId],
    );
    await shop.inventory.send("POST", "/reservations", { id, pieceId, quantity: 3 });
    expect(await levelOf(pieceId)).toMatchObject({ available: 2, reserved: 3 });
    await shop.orders.sweep();
    expect(await levelOf(pieceId)).toMatchObject({ available: 5, reserved: 0 });
  });

  test("when answers come too late every order fails, and after the sweep nothing is reserved", async () => {
    const hasty = await startShop({ timeoutMs: 100 });
    const pieceId = await hasty.stock(50);
    hasty.line.delayMs = 1_000;
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const send = await hasty.orders.as(`buyer-${index}`);
        return (await send("POST", "/api/orders", { pieceId, quantity: 1 })).status;
      }),
    );
    expect(tally(statuses)).toEqual({ 503: 20 });
    const level = async () => (await hasty.inventory.send("GET", `/${pieceId}`)).json();
    // Calls that were sent did reserve; after a few the circuit is open and the others were not.
    expect(stockLevel.parse(await level()).reserved).toBeGreaterThan(0);
    hasty.line.delayMs = 0;
    // A busy machine may be late even now: what one sweep leaves the next one does.
    while (stockLevel.parse(await level()).reserved > 0) await hasty.orders.sweep();
    expect(await level()).toMatchObject({ available: 50, reserved: 0 });
    await hasty.stop();
  });

  test("while PostgreSQL restarts under load every order is met or refused, and afterwards none is lost or held in vain", async () => {
    const own = await startShop({ ownServer: true });
    const pieceId = await own.stock(1_000);
    const send = await own.orders.as("buyer");
    const statuses: number[] = [];
    let running = true;
    const deposits: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (running) {
        statuses.push((await send("POST", "/api/orders", { pieceId, quantity: 1 })).status);
        deposits.push((await send("POST", "/api/wallet/deposits", { amount: 1, currency: "JPY" })).status);
      }
    });
    await until(() => statuses.length > 50);
    for (const { server } of [own.orders, own.inventory]) {
      await server.stopServer();
      const before = statuses.length;
      await until(() => statuses.length > before + 10);
      await server.startServer();
      const restarted = statuses.length;
      await until(() => statuses.slice(restarted).includes(201));
    }
    running = false;
    await Promise.all(load);
    expect(Object.keys(tally(statuses))).toEqual(["201", "503"]);
    // Inventory's database being away is nothing to a deposit; an answer can be lost, money cannot.
    expect(Object.keys(tally(deposits))).toEqual(["201", "503"]);
    const [purse] = wallet.parse(await (await send("GET", "/api/wallet")).json()).balances;
    expect(purse?.available).toBeGreaterThanOrEqual(deposits.filter((status) => status === 201).length);
    await own.orders.sweep(0);
    const [row] = await own.orders.database.query<{ reserved: number; open: number }>(
      `select count(*) filter (where status = 'reserved')::int as reserved,
         count(*) filter (where status = 'placed' or release_due)::int as open from orders`,
    );
    expect(row?.open).toBe(0);
    const answered = statuses.filter((status) => status === 201).length;
    // An answer can be lost after the order was met, never the other way round.
    expect(row?.reserved).toBeGreaterThanOrEqual(answered);
    expect(await (await own.inventory.send("GET", `/${pieceId}`)).json()).toMatchObject({
      available: 1_000 - (row?.reserved ?? 0),
      reserved: row?.reserved,
    });
    await own.stop();
  }, 60_000);
});
