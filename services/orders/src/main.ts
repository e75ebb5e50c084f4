import { join } from "node:path";
import { withFaults } from "@vitrine/kit/faults/database";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { createUpstream } from "@vitrine/kit/upstream";
import { createApp } from "./app.ts";
import { createBusiness } from "./business.ts";
import { parseConfig } from "./config.ts";
import { rowsEverybodyNeeds } from "./store/orders.ts";

await runService("orders", process, parseConfig, ({ config, logger, lifecycle }) => {
  const { readiness } = lifecycle;
  const postgres = lifecycle.own(createDatabase({ url: config.database.url, service: "orders", logger }), (db) =>
    db.close(),
  );
  const { faults, database } = withFaults(postgres, {
    service: "orders",
    enabled: config.faultInjection,
    logger,
    lock: rowsEverybodyNeeds,
  });
  lifecycle.own(faults, (one) => one.close());
  lifecycle.task("migrations", () => migrate(postgres, join(import.meta.dir, "../migrations"), logger));
  lifecycle.check("postgres", () => postgres.ping());
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const scopes = ["inventory:write"];
  const tokens = createTokenSource({ tokenUrl: config.tokens.tokenUrl, ...config.client, scopes });
  const inventory = createUpstream({ name: "inventory", url: config.inventory.url, tokens, logger });
  const business = createBusiness({ database, inventory, logger, ...config.orders });
  const sweep = lifecycle.own(business.sweep, (one) => one.idle());
  lifecycle.own(
    setInterval(() => void (readiness.isStarting() ? undefined : sweep.run()), config.sweepIntervalMs),
    clearInterval,
  );
  const { issuer } = config.tokens;
  lifecycle.serve(createApp({ ...business, logger, readiness, verifier, issuer, faults }), config.http);
});
