import type { Database } from "@vitrine/kit/postgres";
import type { Logger } from "@vitrine/kit/log";
import type { Upstream } from "@vitrine/kit/upstream";
import { createBusinessGauges } from "./business-gauges.ts";
import type { Deps } from "./deps.ts";
import { createEvents } from "./events.ts";
import { createFulfilment } from "./fulfilment.ts";
import { createIdempotent } from "./idempotent.ts";
import { createInventoryClient } from "./inventory-client.ts";
import { createCatalogue } from "./store/catalogue.ts";
import { createCollectionStore } from "./store/collections.ts";
import { createCustomerStore } from "./store/customers.ts";
import { createIdempotencyKeys } from "./store/idempotency-keys.ts";
import { createOrderStore } from "./store/orders.ts";
import { readStatistics } from "./store/statistics.ts";
import { createTradeStore } from "./store/trades.ts";
import { createWalletStore } from "./store/wallets.ts";
import { createSweep, type Sweep } from "./sweep.ts";

export interface BusinessOptions {
  readonly database: Database;
  readonly inventory: Upstream;
  readonly logger: Logger;
  readonly holdSeconds: number;
  readonly interruptedAfterMs: number;
}

export interface Business extends Omit<Deps, "logger" | "readiness" | "verifier" | "issuer" | "faults"> {
  readonly sweep: Sweep;
}

/** Stores, rules and the sweep over one database and one inventory. */
export function createBusiness({ database, logger, ...options }: BusinessOptions): Business {
  const orders = createOrderStore(database);
  const trades = createTradeStore(database);
  const keys = createIdempotencyKeys(database);
  const events = createEvents(logger);
  const inventory = createInventoryClient(options.inventory, logger);
  const fulfilment = createFulfilment({ orders, trades, inventory, events });
  const gauges = createBusinessGauges(() => readStatistics(database));
  const { holdSeconds, interruptedAfterMs } = options;
  const sweep = createSweep({ orders, keys, inventory, fulfilment, gauges, events, logger, interruptedAfterMs });
  return {
    orders,
    trades,
    events,
    inventory,
    fulfilment,
    holdSeconds,
    sweep,
    catalogue: createCatalogue(database),
    wallets: createWalletStore(database),
    collections: createCollectionStore(database),
    customers: createCustomerStore(database),
    // UUIDv7: ids of orders sort by time.
    idempotent: createIdempotent(keys, () => Bun.randomUUIDv7()),
    releaseSoon: () => void sweep.run(),
  };
}
