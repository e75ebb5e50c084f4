import { createDatabase } from "@vitrine/kit/postgres";
import { runService } from "@vitrine/kit/service";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createDeps } from "./deps.ts";
import { prepare } from "./prepare.ts";

/** Bytes; nobody has more to say here than a name, a password or a token request. */
const maxBodyBytes = 65_536;

await runService("auth", process, parseConfig, ({ config, logger, lifecycle }) => {
  const database = lifecycle.own(createDatabase({ url: config.database.url, service: "auth", logger }), (db) =>
    db.close(),
  );
  const deps = createDeps({
    config,
    database,
    logger,
    readiness: lifecycle.readiness,
    stopping: lifecycle.stopping,
    now: Date.now,
    newId: () => Bun.randomUUIDv7(),
    print: (line) => process.stdout.write(line),
  });
  lifecycle.own(deps.rotation, (rotation) => rotation.stop());
  lifecycle.own(deps.feed, (feed) => feed.close());
  lifecycle.own(deps.auditWatch, (watch) => watch.close());
  lifecycle.own(deps.sessionKeeper, (keeper) => keeper.close());
  lifecycle.task("preparation", () => prepare(deps));
  lifecycle.check("postgres", () => database.ping());
  lifecycle.serve(createApp(deps), { ...config.http, maxBodyBytes });
});
