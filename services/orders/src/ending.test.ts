import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { order } from "@vitrine/contracts/orders";
import { startTrading } from "./testing/start-trading.ts";

const shop = await startTrading();
const { balances, customer, fake, inventory, orderOf, orders, owned, piece, placed, reprice, stepsOf, told } = shop;

afterEach(() => {
  inventory.behave();
});
afterAll(() => shop.stop());

describe("a price that changed between view and order", () => {
  test("refuses the order with the new price, which then is accepted", async () => {
    const pieceId = await piece(1_000);
    const send = await customer();
    const seen = { amount: 1_000, currency: "EUR" };
    await reprice(pieceId, 1_200);
    const refused = await send("POST", "/api/orders", { pieceId, quantity: 1, expectedPrice: seen });
    expect(refused.status).toBe(409);
    const body = (await refused.json()) as { code: string; price: unknown };
    expect([body.code, body.price]).toEqual(["price_changed", { amount: 1_200, currency: "EUR" }]);
    const again = await send("POST", "/api/orders", { pieceId, quantity: 1, expectedPrice: body.price });
    expect(order.parse(await again.json()).unitPrice).toEqual({ amount: 1_200, currency: "EUR" });
  });

  test("does not touch an order that was placed before", async () => {
    const pieceId = await piece(1_000);
    const send = await customer(1_000);
    const id = await placed(send, { pieceId, quantity: 1 });
    await reprice(pieceId, 9_000, "CHF");
    expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
    const [item] = await owned(send);
    expect([item?.cost, item?.value]).toEqual([
      { amount: 1_000, currency: "EUR" },
      { amount: 9_000, currency: "CHF" },
    ]);
  });
});

describe("cancelling", () => {
  test("a reserved order frees its pieces and cannot be paid any more; again it answers the same", async () => {
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    for (let times = 0; times < 2; times += 1) {
      const response = await send("POST", `/api/orders/${id}/cancel`);
      expect(order.parse(await response.json())).toMatchObject({ status: "cancelled", reason: "customer" });
    }
    await orders.sweep();
    expect(fake.released.filter((released) => released === id)).toHaveLength(1);
    expect(await told(await send("POST", `/api/orders/${id}/pay`))).toBe("409 order_state");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 1_000, held: 0 }]);
  });

  test("a fulfilled order is refused", async () => {
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    await send("POST", `/api/orders/${id}/pay`);
    expect(await told(await send("POST", `/api/orders/${id}/cancel`))).toBe("409 order_state");
  });

  test("and paying at once: one of them wins, and money and pieces follow it", async () => {
    for (let round = 0; round < 10; round += 1) {
      const send = await customer(1_000);
      const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
      const [paid, cancelled] = await Promise.all([
        send("POST", `/api/orders/${id}/pay`),
        send("POST", `/api/orders/${id}/cancel`),
      ]);
      expect([paid.status, cancelled.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
      const available = paid.status === 200 ? 0 : 1_000;
      expect(await balances(send)).toEqual([{ currency: "EUR", available, held: 0 }]);
    }
  });
});

describe("an order that is not paid in time", () => {
  test("expires, gives its pieces back, and cannot be paid", async () => {
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    await orders.database.query("update orders set expires_at = now() - interval '1 second' where id = $1", [id]);
    expect(await told(await send("POST", `/api/orders/${id}/pay`))).toBe("409 order_state");
    await Promise.all([orders.sweep(), orders.sweep()]);
    expect(await orderOf(send, id)).toMatchObject({ status: "expired", reason: "not_paid" });
    expect(fake.released).toContain(id);
    expect((await stepsOf(send, id)).map(({ status }) => status)).toEqual(["placed", "reserved", "expired"]);
  });
});
