import type { Events } from "./events.ts";
import type { CommitOutcome, InventoryClient } from "./inventory-client.ts";
import type { OrderStore, StoredOrder } from "./store/orders.ts";
import type { TradeStore } from "./store/trades.ts";

export interface Fulfilment {
  /**
   * Drives a paid order to its end, as far as inventory answers; what stays `paid` is driven on by the sweep. Any number
   * of processes may do so at once: inventory's part is idempotent, and each step is taken by one.
   */
  complete(order: StoredOrder, requestId: string): Promise<StoredOrder>;
}

export interface FulfilmentDeps {
  readonly orders: OrderStore;
  readonly trades: TradeStore;
  readonly inventory: InventoryClient;
  readonly events: Events;
}

export function createFulfilment({ orders, trades, inventory, events }: FulfilmentDeps): Fulfilment {
  async function handOver(order: StoredOrder): Promise<CommitOutcome> {
    if (order.kind === "buy") return await inventory.commit(order.id);
    return (await inventory.takeBack(order)) ? "committed" : "unknown";
  }

  return {
    complete: async (order, requestId) => {
      const outcome = await handOver(order);
      if (outcome === "unknown") return order;
      const ended = await (outcome === "committed" ? trades.fulfil(order, requestId) : trades.refund(order, requestId));
      if (ended === undefined) return (await orders.find(order.id)) ?? order;
      events.step(ended);
      return ended;
    },
  };
}
