import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { collectionSummary, statementPage } from "@vitrine/contracts/customers";
import { currencies } from "@vitrine/contracts/money";
import { order } from "@vitrine/contracts/orders";
import { startTrading } from "./testing/start-trading.ts";

const shop = await startTrading();
const { balances, customer, fake, inventory, orderOf, orders, owned, piece, placed, reprice, stepsOf, told } = shop;

afterEach(() => {
  inventory.behave();
});
afterAll(() => shop.stop());

describe("selling", () => {
  async function owner(...prices: number[]) {
    const send = await customer(prices.reduce((sum, one) => sum + one, 0));
    const pieceId = await piece(1);
    for (const amount of prices) {
      await reprice(pieceId, amount);
      const id = await placed(send, { pieceId, quantity: 1 });
      expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
    }
    return { send, pieceId };
  }

  test("pays the present price, gives the pieces to inventory once, and leaves the cost of what was bought last", async () => {
    const { send, pieceId } = await owner(1_000, 2_000, 3_000);
    await reprice(pieceId, 5_000);
    const id = await placed(send, { kind: "sell", pieceId, quantity: 2 });
    expect(await orderOf(send, id)).toMatchObject({ kind: "sell", status: "fulfilled" });
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 10_000, held: 0 }]);
    expect(await owned(send)).toMatchObject([
      { pieceId, quantity: 1, cost: { amount: 3_000 }, value: { amount: 5_000 } },
    ]);
    const back = fake.takenBack.filter((one) => one.pieceId === pieceId);
    expect(back).toEqual([{ pieceId, key: id, body: { quantity: 2, reason: "return" } }]);
    const states = (await stepsOf(send, id)).map(({ status }) => status);
    expect(states).toEqual(["placed", "reserved", "paid", "fulfilled"]);
  });

  test("more than is owned is refused, and kept as a failed order", async () => {
    const { send, pieceId } = await owner(1_000);
    const refused = await send("POST", "/api/orders", { kind: "sell", pieceId, quantity: 2 });
    const location = refused.headers.get("location") ?? "";
    expect(await told(refused)).toBe("409 not_owned");
    expect(order.parse(await (await send("GET", location)).json())).toMatchObject({
      status: "failed",
      reason: "not_owned",
    });
    expect(await owned(send)).toMatchObject([{ quantity: 1 }]);
  });

  test("one piece ten times at once: it is sold once", async () => {
    const { send, pieceId } = await owner(1_000);
    const statuses = await Promise.all(
      Array.from(
        { length: 10 },
        async () => (await send("POST", "/api/orders", { kind: "sell", pieceId, quantity: 1 })).status,
      ),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 1_000, held: 0 }]);
  });

  test("while inventory is away has paid already, and the sweep returns the pieces", async () => {
    const { send, pieceId } = await owner(1_000);
    fake.takeBack = () => new Response("", { status: 503 });
    const id = await placed(send, { kind: "sell", pieceId, quantity: 1 });
    expect((await orderOf(send, id)).status).toBe("paid");
    inventory.behave();
    await orders.sweep(0);
    expect((await orderOf(send, id)).status).toBe("fulfilled");
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 1_000, held: 0 }]);
  });
});

describe("money", () => {
  test.each(currencies)(
    "loses no unit in %s: deposit, buy, sell back and withdraw come to nothing left",
    async (currency) => {
      const send = await customer(1_000_003, currency);
      const pieceId = await piece(333_335, currency);
      const id = await placed(send, { pieceId, quantity: 3 });
      expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(409);
      await send("POST", "/api/wallet/deposits", { amount: 3, currency });
      expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
      for (let sold = 0; sold < 3; sold += 1) await placed(send, { kind: "sell", pieceId, quantity: 1 });
      expect(await balances(send)).toEqual([{ currency, available: 1_000_006, held: 0 }]);
      expect(await told(await send("POST", "/api/wallet/withdrawals", { amount: 1_000_007, currency }))).toBe(
        "409 insufficient_funds",
      );
      expect((await send("POST", "/api/wallet/withdrawals", { amount: 1_000_006, currency })).status).toBe(201);
      expect(await balances(send)).toEqual([{ currency, available: 0, held: 0 }]);
      const { items } = statementPage.parse(
        await (await send("GET", `/api/wallet/statement?currency=${currency}`)).json(),
      );
      expect(items.map(({ movement, amount }) => `${movement} ${amount}`).toReversed()).toEqual([
        "deposit 1000003",
        "deposit 3",
        "hold -1000005",
        "payout 333335",
        "payout 333335",
        "payout 333335",
        "withdrawal -1000006",
      ]);
      expect(items.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
    },
  );

  test("a wallet holds as much as is an exact number, and refuses what is more with nothing moved", async () => {
    const send = await customer(200);
    const pieceId = await piece(1);
    for (let bought = 0; bought < 2; bought += 1) {
      const id = await placed(send, { pieceId, quantity: 100 });
      expect((await send("POST", `/api/orders/${id}/pay`)).status).toBe(200);
    }
    await reprice(pieceId, 90_071_992_547_409);
    const sell = () => send("POST", "/api/orders", { kind: "sell", pieceId, quantity: 100 });
    const deposit = (amount: number) => send("POST", "/api/wallet/deposits", { amount, currency: "EUR" });
    expect((await sell()).status).toBe(201);
    expect(await told(await sell())).toBe("409 wallet_full");
    expect(await owned(send)).toMatchObject([{ pieceId, quantity: 100 }]);
    expect(await told(await deposit(92))).toBe("409 wallet_full");
    expect((await deposit(91)).status).toBe(201);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: Number.MAX_SAFE_INTEGER, held: 0 }]);
  });

  test("a summary adds up by currency", async () => {
    const send = await customer(3_000);
    for (const amount of [1_000, 2_000]) {
      const id = await placed(send, { pieceId: await piece(amount), quantity: 1 });
      await send("POST", `/api/orders/${id}/pay`);
    }
    const summary = collectionSummary.parse(await (await send("GET", "/api/collection/summary")).json());
    const sum = [{ amount: 3_000, currency: "EUR" }];
    expect(summary).toMatchObject({ pieces: 2, cost: sum, value: sum });
  });
});
