import { join } from "node:path";
import { withFaults } from "@vitrine/kit/faults/database";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres, type TestPostgres } from "@vitrine/kit/testing/postgres";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createUpstream } from "@vitrine/kit/upstream";
import { createApp } from "../app.ts";
import { createBusiness } from "../business.ts";
import { rowsEverybodyNeeds } from "../store/orders.ts";

export interface TestOrdersOptions {
  readonly inventoryUrl: string;
  readonly issuer?: TestIssuer;
  readonly ownServer?: boolean;
  /** A database that is there already. */
  readonly server?: TestPostgres;
  /** How long a call to inventory may take, in milliseconds. */
  readonly timeoutMs?: number;
  readonly holdSeconds?: number;
  /** Fault injection enabled. Default false. */
  readonly faults?: boolean;
}

/** The whole service on a real database of its own, without a port; the sweep runs when the test says so. */
export async function startOrders(options: TestOrdersOptions) {
  const server = options.server ?? (await startPostgres({ ownServer: options.ownServer ?? false }));
  const { logger, lines } = memoryLogger("orders");
  const postgres = createDatabase({ url: server.url, service: "orders", logger });
  const enabled = options.faults ?? false;
  const { faults, database } = withFaults(postgres, { service: "orders", enabled, logger, lock: rowsEverybodyNeeds });
  await migrate(postgres, join(import.meta.dir, "../../migrations"), logger);
  const issuer = options.issuer ?? (await createTestIssuer());
  const ownToken = await issuer.sign("inventory:write", { sub: "orders", client_id: "orders" });
  const tokens = { get: async () => ownToken, forget: () => undefined };
  const inventory = createUpstream({
    name: "inventory",
    url: options.inventoryUrl,
    tokens,
    logger,
    timeoutMs: options.timeoutMs ?? 2_000,
    // What a broken circuit does is the kit's to test; here every call is to arrive.
    openMs: 1,
  });
  const holdSeconds = options.holdSeconds ?? 900;
  const business = (interruptedAfterMs: number) =>
    createBusiness({ database, inventory, logger, holdSeconds, interruptedAfterMs });
  const app = createApp({
    ...business(60_000),
    logger,
    readiness: alwaysReady,
    verifier: issuer.verifier,
    issuer: issuer.issuer,
    faults,
    releaseSoon: () => undefined,
  });
  return {
    app,
    database,
    faults,
    issuer,
    lines,
    server,
    sweep: (interruptedAfterMs = 60_000) => business(interruptedAfterMs).sweep.run(),
    /** Sends a request as a person, or anyone with the scopes of an operator. */
    as: async (sub: string, role?: "operator") => {
      const claims = role === undefined ? { sub } : { sub, role };
      const token = await issuer.sign("orders:read orders:write catalog:write", claims);
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
