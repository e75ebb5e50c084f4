import { join } from "node:path";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { buildAssets } from "./assets/build.ts";
import { parseConfig } from "./config.ts";
import { keepThresholds } from "./thresholds/keeper.ts";
import { createThresholds, exportThresholds } from "./thresholds/thresholds.ts";

await runService("console", process, parseConfig, async ({ config, logger, lifecycle }) => {
  const { readiness, stopping } = lifecycle;
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const database = lifecycle.own(createDatabase({ url: config.database.url, service: "console", logger }), (db) =>
    db.close(),
  );
  const thresholds = createThresholds({ database, logger, now: Date.now, newId: () => Bun.randomUUIDv7() });
  exportThresholds(thresholds);
  void keepThresholds({
    thresholds,
    migrate: () => migrate(database, join(import.meta.dir, "../migrations"), logger),
    logger,
    stopping,
  });
  lifecycle.inform("postgres", () => database.ping());
  const assets = await buildAssets();
  const { http, database: _, ...rest } = config;
  lifecycle.serve(createApp({ ...rest, logger, readiness, stopping, verifier, thresholds, assets, now: Date.now }), {
    ...http,
    // Logs that people bring along to have them analysed.
    maxBodyBytes: config.maxUploadBytes,
  });
});
