/** The same app as a service of the repository, run with the kit's preload. */
import { baseShape, parseEnv, port, secret, text, toBaseConfig } from "@vitrine/kit/config";
import { tracedFetch } from "@vitrine/kit/fetch";
import { createBaseApp } from "@vitrine/kit/http";
import { createDatabase } from "@vitrine/kit/postgres";
import { runService } from "@vitrine/kit/service";
import { parityRoutes } from "./routes.ts";

await runService(
  "parity",
  process,
  (env) => {
    const values = parseEnv(env, { ...baseShape, PORT: port(0), DATABASE_URL: secret(), OTHER_URL: text() });
    return { ...toBaseConfig(values), databaseUrl: values.DATABASE_URL, otherUrl: values.OTHER_URL };
  },
  ({ config, logger, lifecycle }) => {
    // Nothing counts as slow here: on a busy machine any query may be, and official packages tell nothing of that.
    const database = lifecycle.own(
      createDatabase({ url: config.databaseUrl, service: "parity", logger, slowQueryMs: 60_000 }),
      (db) => db.close(),
    );
    lifecycle.task("a query", async () => void (await database.query("select 'at the start'")));
    const app = createBaseApp({ service: "parity", logger, readiness: lifecycle.readiness });
    const routes = parityRoutes(
      {
        query: (statement, values) => database.query(statement, values),
        call: (url) => tracedFetch(url, { timeoutMs: 5_000 }),
        say: (message) => logger.info({ action: "http.request", extra: { n: 1 } }, message),
      },
      config.otherUrl,
    );
    app.route("/", routes);
    lifecycle.serve(app, config.http);
  },
);
