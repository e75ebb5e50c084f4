import { collectionPage, wallet } from "@vitrine/contracts/customers";
import type { Currency } from "@vitrine/contracts/money";
import { order, orderEventList } from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import { startFakeInventory } from "./fake-inventory.ts";
import { startOrders, watch } from "./start-orders.ts";

/** Orders beside an inventory that does as it is told, and what a customer's test asks of them again and again. */
export async function startTrading() {
  const inventory = startFakeInventory();
  const orders = await startOrders({ inventoryUrl: inventory.url });
  const clerk = await orders.as("clerk");
  type Send = typeof clerk;

  async function reprice(id: string, amount: number, currency: Currency = "EUR"): Promise<void> {
    const response = await clerk("PUT", `/api/catalog/${id}`, { ...watch, price: { amount, currency } });
    if (!response.ok) throw new Error(`the price was refused: ${response.status}`);
  }

  return {
    inventory,
    fake: inventory.fake,
    orders,
    reprice,
    /** A new piece at a price. */
    piece: async (amount: number, currency: Currency = "EUR") => {
      const id = `piece-${crypto.randomUUID()}`;
      await reprice(id, amount, currency);
      return id;
    },
    /** A new customer with money. */
    customer: async (amount = 0, currency: Currency = "EUR"): Promise<Send> => {
      const send = await orders.as(`customer-${crypto.randomUUID()}`);
      const paidIn = amount === 0 ? undefined : await send("POST", "/api/wallet/deposits", { amount, currency });
      if (paidIn?.ok === false) throw new Error(`the deposit was refused: ${paidIn.status}`);
      return send;
    },
    /** Id of a new order. */
    placed: async (send: Send, body: object) => order.parse(await (await send("POST", "/api/orders", body)).json()).id,
    told: async (response: Response) => `${response.status} ${problem.parse(await response.json()).code}`,
    balances: async (send: Send) => wallet.parse(await (await send("GET", "/api/wallet")).json()).balances,
    owned: async (send: Send) => collectionPage.parse(await (await send("GET", "/api/collection")).json()).items,
    orderOf: async (send: Send, id: string) => order.parse(await (await send("GET", `/api/orders/${id}`)).json()),
    stepsOf: async (send: Send, id: string) =>
      orderEventList.parse(await (await send("GET", `/api/orders/${id}/events`)).json()).items,
    stop: async () => {
      await orders.database.close();
      await inventory.stop();
    },
  };
}
