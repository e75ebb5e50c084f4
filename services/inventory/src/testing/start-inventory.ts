import { join } from "node:path";
import { withFaults } from "@vitrine/kit/faults/database";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "../app.ts";
import { createEvents } from "../events.ts";
import { createStockGauges } from "../stock-gauges.ts";
import { createReservationStore } from "../store/reservations.ts";
import { createStockStore, rowsEverybodyNeeds } from "../store/stock.ts";
import { createSweep } from "../sweep.ts";

/** The whole service on a real database of its own, without a port. */
export async function startInventory(
  options: { readonly ownServer?: boolean; readonly faults?: boolean; readonly issuer?: TestIssuer } = {},
) {
  const server = await startPostgres({ ownServer: options.ownServer ?? false });
  const { logger, lines } = memoryLogger("inventory");
  const postgres = createDatabase({ url: server.url, service: "inventory", logger });
  const enabled = options.faults ?? true;
  const lock = rowsEverybodyNeeds;
  const { faults, database } = withFaults(postgres, { service: "inventory", enabled, logger, lock });
  await migrate(postgres, join(import.meta.dir, "../../migrations"), logger);
  const issuer = options.issuer ?? (await createTestIssuer());
  const stock = createStockStore(database);
  const reservations = createReservationStore(database);
  const events = createEvents(logger);
  const sweep = createSweep({ reservations, gauges: createStockGauges(stock, reservations), events, logger });
  const app = createApp({
    logger,
    readiness: alwaysReady,
    verifier: issuer.verifier,
    issuer: "http://localhost:8080",
    stock,
    reservations,
    events,
    faults,
  });
  const token = await issuer.sign("inventory:read inventory:write faults:admin", {
    sub: "orders",
    client_id: "orders",
  });
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(`/api/inventory${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { app, database, faults, issuer, lines, send, server, stock, reservations, sweep };
}
