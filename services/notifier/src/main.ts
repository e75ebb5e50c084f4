import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createDeps } from "./deps.ts";

/** Bytes; Alertmanager sends a whole group at once. */
const maxBodyBytes = 8_388_608;

await runService("notifier", process, parseConfig, ({ config, logger, lifecycle }) => {
  const database = lifecycle.own(createDatabase({ url: config.database.url, service: "notifier", logger }), (db) =>
    db.close(),
  );
  const verifier = createTokenVerifier(config.tokens);
  const deps = createDeps({
    config,
    database,
    logger,
    readiness: lifecycle.readiness,
    verifier,
    now: Date.now,
    random: Math.random,
    newId: () => Bun.randomUUIDv7(),
  });
  lifecycle.own(deps.keeper, (keeper) => keeper.close());
  lifecycle.own(deps.dispatcher, (dispatcher) => dispatcher.stop());
  lifecycle.own(deps.teller, (teller) => teller.stop());
  lifecycle.task("preparation", async () => {
    await deps.receiver.prepare(async () => {
      await migrate(database, join(import.meta.dir, "../migrations"), logger);
      await deps.targets.putPresets(config.presetTargets);
    });
    deps.dispatcher.start();
    deps.keeper.start();
  });
  lifecycle.check("postgres", () => database.ping());
  lifecycle.inform("outbox", () => deps.receiver.check());
  // Not a condition: alerts must come and go while auth is away, and nobody but people needs a token here.
  lifecycle.inform("keys", () => verifier.ready());
  lifecycle.serve(createApp(deps), { ...config.http, maxBodyBytes });
});
