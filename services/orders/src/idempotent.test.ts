import { afterAll, describe, expect, test } from "bun:test";
import { statementPage } from "@vitrine/contracts/customers";
import { order, orderPage } from "@vitrine/contracts/orders";
import { startTrading } from "./testing/start-trading.ts";

const shop = await startTrading();
const { balances, customer, orders, piece, placed, told } = shop;

afterAll(() => shop.stop());

/** As when the process was killed after the effect and before the answer was kept. */
async function forgetAnswer(key: string, leaseOver: boolean): Promise<void> {
  await orders.database.query(
    "update idempotency_keys set answer = null, locked_until = now() + $2::float8 * interval '1 second' where key = $1",
    [key, leaseOver ? -1 : 60],
  );
}

describe("a request cut off before its answer was kept", () => {
  test("is under way until its lease ends, and then finds the deposit it had made", async () => {
    const send = await customer();
    const key = crypto.randomUUID();
    const deposit = () =>
      send("POST", "/api/wallet/deposits", { amount: 5, currency: "EUR" }, { "idempotency-key": key });
    const first = await deposit();
    await forgetAnswer(key, false);
    expect(await told(await deposit())).toBe("409 idempotency_in_flight");
    await forgetAnswer(key, true);
    const again = await deposit();
    expect([again.status, await again.json()]).toEqual([201, await first.json()]);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 5, held: 0 }]);
  });

  test("finds the withdrawal it had made, also when it left too little for another", async () => {
    const send = await customer(100);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const withdraw = () => send("POST", "/api/wallet/withdrawals", { amount: 60, currency: "EUR" }, headers);
    const first = await withdraw();
    await forgetAnswer(headers["idempotency-key"], true);
    const again = await withdraw();
    expect([again.status, await again.json()]).toEqual([201, await first.json()]);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 40, held: 0 }]);
  });

  test("finds the order it had placed, also when the price has changed since", async () => {
    const send = await customer();
    const pieceId = await piece(100);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { pieceId, quantity: 1, expectedPrice: { amount: 100, currency: "EUR" } };
    const first = order.parse(await (await send("POST", "/api/orders", body, headers)).json());
    await forgetAnswer(headers["idempotency-key"], true);
    await shop.reprice(pieceId, 200);
    const again = await send("POST", "/api/orders", body, headers);
    expect([again.status, await again.json()]).toEqual([201, first]);
    expect(orderPage.parse(await (await send("GET", "/api/orders")).json()).items).toHaveLength(1);
  });

  test("does not sell a piece twice", async () => {
    const send = await customer(100);
    const pieceId = await piece(100);
    const id = await placed(send, { pieceId, quantity: 1 });
    await send("POST", `/api/orders/${id}/pay`);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const sell = () => send("POST", "/api/orders", { kind: "sell", pieceId, quantity: 1 }, headers);
    const first = await sell();
    await forgetAnswer(headers["idempotency-key"], true);
    const again = await sell();
    expect([again.status, await again.json()]).toEqual([201, await first.json()]);
    const { items } = statementPage.parse(await (await send("GET", "/api/wallet/statement?currency=EUR")).json());
    expect(items.filter(({ movement }) => movement === "payout")).toHaveLength(1);
  });
});

describe("a key", () => {
  test("answers a refusal as it did, with what there was to know", async () => {
    const send = await customer();
    const pieceId = await piece(100);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { pieceId, quantity: 1, expectedPrice: { amount: 1, currency: "EUR" } };
    const refusals = [];
    for (let times = 0; times < 2; times += 1) {
      const response = await send("POST", "/api/orders", body, headers);
      const { code, price } = (await response.json()) as { readonly code: string; readonly price: unknown };
      refusals.push([response.status, code, price]);
    }
    const expected = [409, "price_changed", { amount: 100, currency: "EUR" }];
    expect(refusals).toEqual([expected, expected]);
  });

  test("of one route is a conflict on another, and the order of a body's members does not matter", async () => {
    const send = await customer();
    const headers = { "idempotency-key": crypto.randomUUID() };
    expect((await send("POST", "/api/wallet/deposits", { amount: 5, currency: "EUR" }, headers)).status).toBe(201);
    expect((await send("POST", "/api/wallet/deposits", { currency: "EUR", amount: 5 }, headers)).status).toBe(201);
    const other = await send("POST", "/api/wallet/withdrawals", { amount: 5, currency: "EUR" }, headers);
    expect(await told(other)).toBe("422 idempotency_conflict");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 5, held: 0 }]);
  });

  test("is forgotten after a day", async () => {
    const send = await customer();
    const headers = { "idempotency-key": crypto.randomUUID() };
    await send("POST", "/api/wallet/deposits", { amount: 5, currency: "EUR" }, headers);
    const left = () =>
      orders.database.query("select key from idempotency_keys where key = $1", [headers["idempotency-key"]]);
    await orders.sweep();
    expect(await left()).toHaveLength(1);
    await orders.database.query("update idempotency_keys set created_at = now() - interval '25 hours' where key = $1", [
      headers["idempotency-key"],
    ]);
    await orders.sweep();
    expect(await left()).toEqual([]);
  });

  test("is forgotten however many others are", async () => {
    await orders.database.query(
      `insert into idempotency_keys (customer, key, fingerprint, effect_id, locked_until, created_at)
       select 'many', 'key-' || n, 'f', gen_random_uuid(), now(), now() - interval '25 hours' from generate_series(1, 2500) n`,
    );
    await orders.sweep();
    expect(await orders.database.query("select key from idempotency_keys where customer = 'many'")).toEqual([]);
  });
});
