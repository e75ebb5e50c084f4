import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { startOldPostgres } from "@vitrine/kit/testing/migrations";
import { order, orderEventList } from "@vitrine/contracts/orders";
import { startFakeInventory } from "./testing/fake-inventory.ts";
import { startOrders } from "./testing/start-orders.ts";

const migrations = join(import.meta.dir, "../migrations");
const inventory = startFakeInventory();
afterAll(() => inventory.stop());

/** With an order in each state the first release knew. */
async function firstRelease() {
  const ids = { reserved: Bun.randomUUIDv7(), failed: Bun.randomUUIDv7(), placed: Bun.randomUUIDv7() };
  const server = await startOldPostgres("orders", migrations, "0001-catalogue-and-orders.sql", async (database) => {
    await database.query(
      "insert into pieces (id, maison, name, kind, price_amount, price_currency) values ('old-piece', 'Élan', 'Éclipse', 'watch', 500, 'EUR')",
    );
    const insert = `insert into orders (id, customer, piece_id, quantity, unit_amount, currency, status, reason, settled_at, idempotency_key, request_id)
      values ($1, 'anna', 'old-piece', 2, 500, 'EUR', $2, $3, $4, $5, 'old-request')`;
    await database.query(insert, [ids.reserved, "reserved", null, new Date(), "key-1"]);
    await database.query(insert, [ids.failed, "failed", "out_of_stock", new Date(), "key-2"]);
    await database.query(insert, [ids.placed, "placed", null, null, null]);
  });
  return { server, ids };
}

test("orders of the first release go on: found, told by their events, repeated under their keys, payable, swept", async () => {
  const { server, ids } = await firstRelease();
  const orders = await startOrders({ inventoryUrl: inventory.url, server });
  const send = await orders.as("anna");
  const kept = order.parse(await (await send("GET", `/api/orders/${ids.reserved}`)).json());
  expect(kept).toMatchObject({ kind: "buy", maison: "Élan", pieceKind: "watch", status: "reserved" });
  const steps = await (await send("GET", `/api/orders/${ids.failed}/events`)).json();
  expect(orderEventList.parse(steps).items.map(({ status }) => status)).toEqual(["placed", "failed"]);

  const repeat = (key: string, quantity = 2) =>
    send("POST", "/api/orders", { pieceId: "old-piece", quantity }, { "idempotency-key": key });
  const first = await repeat("key-1");
  expect([first.status, first.headers.get("location")]).toEqual([201, `/api/orders/${ids.reserved}`]);
  expect(order.parse(await first.json())).toEqual(kept);
  const second = await repeat("key-2");
  expect([second.status, second.headers.get("location")]).toEqual([409, `/api/orders/${ids.failed}`]);
  expect((await repeat("key-1", 1)).status).toBe(422);

  await send("POST", "/api/wallet/deposits", { amount: 1_000, currency: "EUR" });
  expect((await send("POST", `/api/orders/${ids.reserved}/pay`)).status).toBe(200);
  await orders.sweep(0);
  const swept = order.parse(await (await send("GET", `/api/orders/${ids.placed}`)).json());
  expect(swept).toMatchObject({ status: "failed", reason: "interrupted" });
  const found = await send("GET", "/api/catalog?q=eclipse");
  expect(await found.json()).toMatchObject({ items: [{ id: "old-piece", edition: null }] });
  await orders.database.close();
});
