import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { startTrading } from "./testing/start-trading.ts";

let telemetry: TestTelemetry;
let shop: Awaited<ReturnType<typeof startTrading>>;

/** Two customers: one buys two of a piece in KWD and sells one back, pays too little, cancels; the other only orders. */
beforeAll(async () => {
  telemetry = startTestTelemetry();
  shop = await startTrading();
  const { customer, placed } = shop;
  const send = await customer(5_000, "KWD");
  const pieceId = await shop.piece(1_250, "KWD");
  const bought = await placed(send, { pieceId, quantity: 2 });
  await send("POST", `/api/orders/${bought}/pay`);
  await placed(send, { kind: "sell", pieceId, quantity: 1 });
  await shop.reprice(pieceId, 2_000, "KWD");
  const dear = await placed(send, { pieceId, quantity: 2 });
  await send("POST", `/api/orders/${dear}/pay`);
  await send("POST", `/api/orders/${dear}/cancel`);
  await send("POST", `/api/orders/${dear}/pay`);
  await send("POST", "/api/orders", { pieceId, quantity: 1, expectedPrice: { amount: 1, currency: "KWD" } });
  await send("POST", "/api/orders", { kind: "sell", pieceId, quantity: 9 });
  await send("POST", "/api/wallet/withdrawals", { amount: 9_999, currency: "KWD" });
  await placed(await customer(), { pieceId, quantity: 1 });
  await shop.orders.sweep();
});
afterAll(async () => {
  await shop.stop();
  await telemetry.stop();
});

/** Values by the named attributes, in their order. */
async function points(metric: string, ...names: readonly string[]): Promise<Record<string, number>> {
  const found = await telemetry.points(metric);
  return Object.fromEntries(
    found.map(({ attributes, value }) => [
      names
        .flatMap((name) => {
          const one = attributes[name];
          return typeof one === "string" ? one : [];
        })
        .join(" "),
      value,
    ]),
  );
}

test("every state an order comes into is counted, with kind, maison and reason", async () => {
  expect(await points("orders.steps", "order.kind", "order.status", "order.reason")).toEqual({
    "buy placed": 3,
    "buy reserved": 3,
    "buy paid": 1,
    "buy fulfilled": 1,
    "buy cancelled customer": 1,
    "sell placed": 2,
    "sell reserved": 1,
    "sell paid": 1,
    "sell fulfilled": 1,
    "sell failed not_owned": 1,
  });
  const [one] = await telemetry.points("orders.steps");
  expect(one?.attributes).toMatchObject({ "piece.kind": "watch", "piece.maison": "Maison Test" });
  expect(await points("orders.placed", "order.kind", "order.status")).toEqual({
    "buy reserved": 3,
    "sell reserved": 1,
    "sell failed": 1,
  });
});

test("requests that changed nothing are counted by what was asked and why not", async () => {
  expect(await points("orders.refused", "step", "reason")).toEqual({
    "pay insufficient_funds": 1,
    "pay wrong_state": 1,
    "place price_changed": 1,
  });
});

test("value and volume are those of fulfilled orders, value in whole units of the currency", async () => {
  expect(await points("orders.value", "order.kind", "currency")).toEqual({ "buy KWD": 2.5, "sell KWD": 1.25 });
  expect(await points("orders.pieces", "order.kind")).toEqual({ buy: 2, sell: 1 });
  expect(await points("orders.duration", "order.kind", "order.status")).toEqual({
    "buy fulfilled": 1,
    "buy cancelled": 1,
    "sell fulfilled": 1,
    "sell failed": 1,
  });
});

test("money that moves is counted, and what was asked for and not there", async () => {
  expect(await points("wallet.movements", "movement", "outcome", "currency")).toEqual({
    "deposit done KWD": 1,
    "hold done KWD": 1,
    "capture done KWD": 1,
    "payout done KWD": 1,
    "withdrawal insufficient_funds KWD": 1,
  });
  expect(await points("wallet.volume", "movement")).toEqual({ deposit: 5, hold: 2.5, capture: 2.5, payout: 1.25 });
});

test("gauges tell open orders, money, collections and active customers", async () => {
  expect(await points("orders.open", "order.kind", "order.status")).toEqual({ "buy reserved": 1 });
  const oldest = await points("orders.open.oldest", "order.status");
  expect([oldest["placed"], oldest["paid"]]).toEqual([0, 0]);
  expect(oldest["reserved"]).toBeGreaterThan(0);
  expect(await points("wallet.balance", "state", "currency")).toEqual({ "available KWD": 3.75, "held KWD": 0 });
  expect(await points("collection.value", "basis", "currency")).toEqual({ "cost KWD": 1.25, "present KWD": 2 });
  expect(await points("collection.pieces", "piece.kind")).toEqual({ watch: 1 });
  expect((await points("customers.active", "window"))["5m"]).toBe(2);
});
