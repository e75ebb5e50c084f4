import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { holdList } from "@vitrine/contracts/customers";
import { order } from "@vitrine/contracts/orders";
import { steps } from "./order-state.ts";
import { createOrderStore } from "./store/orders.ts";
import { refuse } from "./testing/fake-inventory.ts";
import { startTrading } from "./testing/start-trading.ts";

const shop = await startTrading();
const { balances, customer, fake, inventory, orderOf, orders, owned, piece, placed, stepsOf, told } = shop;

afterEach(() => {
  inventory.behave();
});
afterAll(() => shop.stop());

describe("paying", () => {
  test("takes the money, sells the pieces, puts them into the collection, and every step has its request id", async () => {
    const pieceId = await piece(1_000);
    const send = await customer(5_000);
    const bought = await send("POST", "/api/orders", { pieceId, quantity: 3 }, { "x-request-id": "placing-1" });
    const { id } = order.parse(await bought.json());
    const response = await send("POST", `/api/orders/${id}/pay`, undefined, { "x-request-id": "paying-1" });
    expect(order.parse(await response.json())).toMatchObject({ id, status: "fulfilled", reason: null });
    expect(fake.committed).toContain(id);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 2_000, held: 0 }]);
    expect(await owned(send)).toMatchObject([{ pieceId, quantity: 3, cost: { amount: 3_000, currency: "EUR" } }]);
    expect((await stepsOf(send, id)).map(({ status, requestId }) => `${status} ${requestId}`)).toEqual([
      "placed placing-1",
      "reserved placing-1",
      "paid paying-1",
      "fulfilled paying-1",
    ]);
    for (const action of ["order.placed", "order.reserved", "order.paid", "order.fulfilled"])
      expect(
        orders.lines.filter((line) => line.action === action && JSON.stringify(line["extra"]).includes(id)),
      ).toHaveLength(1);
  });

  test("again changes nothing and answers the same", async () => {
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    const all = await Promise.all(Array.from({ length: 10 }, () => send("POST", `/api/orders/${id}/pay`)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 0, held: 0 }]);
    expect((await stepsOf(send, id)).map(({ status }) => status)).toEqual(["placed", "reserved", "paid", "fulfilled"]);
  });

  test("with too little money is refused with what is needed, and is possible once the money is there", async () => {
    const send = await customer(999);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    const refused = await send("POST", `/api/orders/${id}/pay`);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      code: "insufficient_funds",
      total: { amount: 1_000, currency: "EUR" },
    });
    expect((await orderOf(send, id)).status).toBe("reserved");
    await send("POST", "/api/wallet/deposits", { amount: 1, currency: "EUR" });
    expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
  });

  test("money of another currency is no money", async () => {
    const send = await customer(1_000_000, "JPY");
    const id = await placed(send, { pieceId: await piece(1, "KWD"), quantity: 1 });
    expect(await told(await send("POST", `/api/orders/${id}/pay`))).toBe("409 insufficient_funds");
  });

  test("while inventory does not answer leaves the order paid and the money held, until the sweep ends it once", async () => {
    fake.commit = () => new Response("", { status: 500 });
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
    expect((await orderOf(send, id)).status).toBe("paid");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 0, held: 1_000 }]);
    const { items } = holdList.parse(await (await send("GET", "/api/wallet/holds")).json());
    expect(items).toMatchObject([{ orderId: id, amount: { amount: 1_000, currency: "EUR" } }]);
    await orders.sweep(0);
    expect((await orderOf(send, id)).status).toBe("paid");
    inventory.behave();
    await Promise.all([orders.sweep(0), orders.sweep(0)]);
    expect((await orderOf(send, id)).status).toBe("fulfilled");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 0, held: 0 }]);
    expect(await owned(send)).toMatchObject([{ quantity: 1 }]);
  });

  test("cannot be undone by who still takes the order for one that is being placed", async () => {
    fake.commit = () => new Response("", { status: 500 });
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    await send("POST", `/api/orders/${id}/pay`);
    const store = createOrderStore(orders.database);
    for (const late of [steps.interrupted, steps.inventoryUnavailable, steps.outOfStock, steps.notOwned])
      expect(await store.move(id, late, { requestId: "late" })).toBeUndefined();
    inventory.behave();
    await orders.sweep(0);
    expect((await orderOf(send, id)).status).toBe("fulfilled");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 0, held: 0 }]);
  });

  test("for pieces that are no longer held fails the order and gives the money back", async () => {
    fake.commit = () => refuse("reservation_over");
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    expect(await told(await send("POST", `/api/orders/${id}/pay`))).toBe("409 reservation_over");
    expect(await orderOf(send, id)).toMatchObject({ status: "failed", reason: "reservation_lost" });
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 1_000, held: 0 }]);
    expect(await owned(send)).toEqual([]);
  });

  test("two orders at once with money for one: exactly one is paid", async () => {
    const send = await customer(1_000);
    const pieceId = await piece(1_000);
    const ids = [await placed(send, { pieceId, quantity: 1 }), await placed(send, { pieceId, quantity: 1 })];
    const statuses = await Promise.all(ids.map(async (id) => (await send("POST", `/api/orders/${id}/pay`)).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  test("a piece that costs nothing is paid by nothing", async () => {
    const send = await customer();
    const id = await placed(send, { pieceId: await piece(0), quantity: 2 });
    expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
    expect(await owned(send)).toMatchObject([{ quantity: 2, cost: { amount: 0 } }]);
  });
});
