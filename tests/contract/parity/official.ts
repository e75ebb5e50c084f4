/** The official stack on Bun, as the READMEs of sdk-node, @hono/otel and the instrumentations say. */
import { createRequire } from "node:module";
import { httpInstrumentationMiddleware } from "@hono/otel";
import { Hono } from "hono";
import pg from "pg";
import type { pino as Pino } from "pino";
import { sdk } from "../../bench/kit/apps/official/preload.ts";
import { parityRoutes } from "./routes.ts";

const { PORT, DATABASE_URL = "", OTHER_URL = "" } = process.env;
// On Bun the instrumentation sees pino only when it is required.
const logger = (createRequire(import.meta.url)("pino") as typeof Pino)({
  messageKey: "message",
  base: { service: "parity" },
});
const { hostname, port, pathname } = new URL(DATABASE_URL);
const pool = new pg.Pool({
  connectionString: DATABASE_URL,
  host: hostname,
  port: Number(port),
  database: pathname.slice(1),
  idleTimeoutMillis: 30_000,
});
await pool.query("select 'at the start'");
const app = new Hono().use(httpInstrumentationMiddleware());
const routes = parityRoutes(
  {
    query: (text, values) => pool.query({ name: `select_${Bun.hash(text).toString(36)}`, text, values: [...values] }),
    call: (url) => fetch(url),
    say: (message) => logger.info({ action: "http.request", extra: { n: 1 } }, message),
  },
  OTHER_URL,
);
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(PORT), fetch: app.route("/", routes).fetch });

process.on("SIGTERM", () => {
  void Promise.all([server.stop(true), pool.end()]).then(() => sdk.shutdown());
});
