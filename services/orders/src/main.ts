import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createEvents } from "./events.ts";
import { createInventoryClient } from "./inventory-client.ts";
import { createCatalogue } from "./store/catalogue.ts";
import { createOrderStore } from "./store/orders.ts";
import { createSweep } from "./sweep.ts";

await runService("orders", process, parseConfig, ({ config, logger, lifecycle }) => {
  const { readiness } = lifecycle;
  const database = lifecycle.own(createDatabase({ url: config.database.url, service: "orders", logger }), (db) =>
    db.close(),
  );
  lifecycle.task("migrations", () => migrate(database, join(import.meta.dir, "../migrations"), logger));
  lifecycle.check("postgres", () => database.ping());
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const scopes = ["inventory:write"];
  const tokens = createTokenSource({ tokenUrl: config.tokens.tokenUrl, ...config.client, scopes });
  const inventory = createInventoryClient({ url: config.inventory.url, tokens, logger });
  const orders = createOrderStore(database);
  const events = createEvents(logger);
  const { interruptedAfterMs, intervalMs } = config.sweep;
  const sweep = lifecycle.own(createSweep({ orders, inventory, events, logger, interruptedAfterMs }), (s) => s.idle());
  lifecycle.own(
    setInterval(() => void (readiness.isStarting() ? undefined : sweep.run()), intervalMs),
    clearInterval,
  );
  const catalogue = createCatalogue(database);
  const releaseSoon = () => void sweep.run();
  const deps = { logger, readiness, verifier, catalogue, orders, inventory, events, releaseSoon };
  lifecycle.serve(createApp(deps), config.http);
});
