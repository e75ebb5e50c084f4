/** `kit`: a service as the repository writes them, run with the kit's preload. */
import { baseShape, parseEnv, port, secret, text, toBaseConfig } from "@vitrine/kit/config";
import { tracedFetch } from "@vitrine/kit/fetch";
import { createBaseApp } from "@vitrine/kit/http";
import { createDatabase } from "@vitrine/kit/postgres";
import { runService } from "@vitrine/kit/service";
import { findStatement, type Piece, poolSize } from "../pieces.ts";
import { pieceRoutes } from "../routes.ts";

await runService(
  "bench-kit",
  process,
  (env) => {
    const values = parseEnv(env, { ...baseShape, PORT: port(0), DATABASE_URL: secret(), OTHER_URL: text() });
    return { ...toBaseConfig(values), databaseUrl: values.DATABASE_URL, otherUrl: values.OTHER_URL };
  },
  ({ config, logger, lifecycle }) => {
    const database = lifecycle.own(
      createDatabase({ url: config.databaseUrl, service: "bench-kit", logger, maxConnections: poolSize }),
      (db) => db.close(),
    );
    const app = createBaseApp({ service: "bench-kit", logger, readiness: lifecycle.readiness });
    const find = async (id: number) => {
      const rows = await database.query<Piece & Record<string, unknown>>(findStatement, [id]);
      return rows[0];
    };
    const call = async () => (await tracedFetch(config.otherUrl, { timeoutMs: 5_000 })).text();
    app.route("/", pieceRoutes(find, call));
    lifecycle.serve(app, config.http);
  },
);
