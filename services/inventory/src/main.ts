import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createEvents } from "./events.ts";
import { createStockStore } from "./store.ts";

await runService("inventory", process, parseConfig, ({ config, logger, lifecycle }) => {
  const database = lifecycle.own(createDatabase({ url: config.database.url, service: "inventory", logger }), (db) =>
    db.close(),
  );
  lifecycle.task("migrations", () => migrate(database, join(import.meta.dir, "../migrations"), logger));
  lifecycle.check("postgres", () => database.ping());
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const store = createStockStore(database);
  const events = createEvents(logger);
  lifecycle.serve(createApp({ logger, readiness: lifecycle.readiness, verifier, store, events }), config.http);
});
