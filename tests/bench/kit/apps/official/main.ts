/** `official`: @hono/otel, instrumentation-pg and instrumentation-pino on Bun, as their READMEs say. */
import { createRequire } from "node:module";
import { httpInstrumentationMiddleware } from "@hono/otel";
import { Hono } from "hono";
import type { pino as Pino } from "pino";
import { accessLine } from "../access-line.ts";
import { callBy } from "../call.ts";
import { createPool, findIn } from "../pieces.ts";
import { pieceRoutes } from "../routes.ts";
import { sdk } from "./preload.ts";

const { PORT, DATABASE_URL = "", OTHER_URL = "" } = process.env;
// On Bun the instrumentation sees pino only when it is required.
const pino = createRequire(import.meta.url)("pino") as typeof Pino;
const app = new Hono();
app.use(httpInstrumentationMiddleware());
app.use(accessLine(pino(pino.destination({ dest: 1, sync: false }))));
const pool = createPool(DATABASE_URL);
app.route("/", pieceRoutes(findIn(pool), callBy(OTHER_URL)));
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(PORT), fetch: app.fetch });

process.on("SIGTERM", () => {
  void Promise.all([server.stop(true), pool.end()]).then(() => sdk.shutdown());
});
