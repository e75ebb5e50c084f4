import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { startInventory } from "../../services/inventory/src/testing/start-inventory.ts";
import { startOrders, watch } from "../../services/orders/src/testing/start-orders.ts";

export interface ShopOptions {
  readonly ownServer?: boolean;
  /** How long orders waits for inventory, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Orders and inventory as they are, each on a database of its own, speaking HTTP to each other on a free port. */
export async function startShop({ ownServer = false, timeoutMs = 10_000 }: ShopOptions = {}) {
  const issuer = await createTestIssuer();
  const inventory = await startInventory({ issuer, ownServer });
  const line = { delayMs: 0 };
  const door = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const response = await inventory.app.fetch(request);
      await Bun.sleep(line.delayMs);
      return response;
    },
  });
  const orders = await startOrders({ issuer, inventoryUrl: door.url.href, ownServer, timeoutMs });
  const clerk = await orders.as("clerk");
  return {
    issuer,
    inventory,
    orders,
    /** What lies between the two: answers of inventory arrive `delayMs` later. */
    line,
    /** A new piece with `quantity` in stock. */
    stock: async (quantity: number) => {
      const pieceId = `piece-${crypto.randomUUID()}`;
      await clerk("PUT", `/api/catalog/${pieceId}`, watch);
      await inventory.send("POST", `/${pieceId}/restock`, { quantity });
      return pieceId;
    },
    stop: async () => {
      await door.stop(true);
      await Promise.all([orders.database.close(), inventory.database.close()]);
    },
  };
}
