import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "./app.ts";
import { createEvents } from "./events.ts";
import { createInventoryClient } from "./inventory-client.ts";
import { createCatalogue } from "./store/catalogue.ts";
import { createOrderStore } from "./store/orders.ts";
import { createSweep } from "./sweep.ts";

export interface TestOrdersOptions {
  readonly inventoryUrl: string;
  readonly issuer?: TestIssuer;
  readonly ownServer?: boolean;
  /** How long a call to inventory may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** The whole service on a real database of its own, without a port; the sweep runs when the test says so. */
export async function startOrders(options: TestOrdersOptions) {
  const server = await startPostgres({ ownServer: options.ownServer ?? false });
  const { logger, lines } = memoryLogger("orders");
  const database = createDatabase({ url: server.url, service: "orders", logger });
  await migrate(database, join(import.meta.dir, "../migrations"), logger);
  const issuer = options.issuer ?? (await createTestIssuer());
  const ownToken = await issuer.sign("inventory:write", { sub: "orders", client_id: "orders" });
  const tokens = { get: async () => ownToken, forget: () => undefined };
  const inventory = createInventoryClient({
    url: options.inventoryUrl,
    tokens,
    logger,
    timeoutMs: options.timeoutMs ?? 2_000,
  });
  const orders = createOrderStore(database);
  const events = createEvents(logger);
  const sweepDeps = { orders, inventory, events, logger };
  const app = createApp({
    logger,
    readiness: alwaysReady,
    verifier: issuer.verifier,
    catalogue: createCatalogue(database),
    orders,
    inventory,
    events,
    releaseSoon: () => undefined,
  });
  return {
    app,
    database,
    issuer,
    lines,
    server,
    sweep: (interruptedAfterMs = 60_000) => createSweep({ ...sweepDeps, interruptedAfterMs }).run(),
    /** Sends a request as a person, or anyone with the scopes of an operator. */
    as: async (sub: string) => {
      const token = await issuer.sign("orders:read orders:write catalog:write", { sub });
      return (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
        app.request(path, {
          method,
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
    },
  };
}

export const watch = {
  maison: "Maison Test",
  name: "A watch",
  kind: "watch",
  price: { amount: 1_250_000, currency: "EUR" },
} as const;
