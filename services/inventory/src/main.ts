import { join } from "node:path";
import { withFaults } from "@vitrine/kit/faults/database";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createEvents } from "./events.ts";
import { createStockGauges } from "./stock-gauges.ts";
import { createReservationStore } from "./store/reservations.ts";
import { createStockStore, rowsEverybodyNeeds } from "./store/stock.ts";
import { createSweep } from "./sweep.ts";

await runService("inventory", process, parseConfig, ({ config, logger, lifecycle }) => {
  const { readiness } = lifecycle;
  const postgres = lifecycle.own(createDatabase({ url: config.database.url, service: "inventory", logger }), (db) =>
    db.close(),
  );
  const { faults, database } = withFaults(postgres, {
    service: "inventory",
    enabled: config.faultInjection,
    logger,
    lock: rowsEverybodyNeeds,
  });
  lifecycle.own(faults, (one) => one.close());
  lifecycle.task("migrations", () => migrate(postgres, join(import.meta.dir, "../migrations"), logger));
  lifecycle.check("postgres", () => postgres.ping());
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const stock = createStockStore(database);
  const reservations = createReservationStore(database);
  const events = createEvents(logger);
  const gauges = createStockGauges(stock, reservations);
  const sweep = lifecycle.own(createSweep({ reservations, gauges, events, logger }), (one) => one.idle());
  lifecycle.own(
    setInterval(() => void (readiness.isStarting() ? undefined : sweep.run()), config.sweepIntervalMs),
    clearInterval,
  );
  const { issuer } = config.tokens;
  lifecycle.serve(createApp({ logger, readiness, verifier, issuer, stock, reservations, events, faults }), config.http);
});
