/**
 * `node` and `node-bare`: the same app on Node, built to one CommonJS file, since that is what the official
 * auto-instrumentation patches without a loader hook. What instruments it is required from the command line.
 */
import { serve, type ServerType } from "@hono/node-server";
import { Hono } from "hono";
import { pino } from "pino";
import { accessLine } from "../access-line.ts";
import { callBy } from "../call.ts";
import { createPool, findIn } from "../pieces.ts";
import { pieceRoutes } from "../routes.ts";

const { PORT, DATABASE_URL = "", OTHER_URL = "", ACCESS_LOG } = process.env;
const app = new Hono();
if (ACCESS_LOG === "on") app.use(accessLine(pino(pino.destination({ dest: 1, sync: false }))));
const pool = createPool(DATABASE_URL);
app.route("/", pieceRoutes(findIn(pool), callBy(OTHER_URL)));
const server: ServerType = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) });

process.on("SIGTERM", () => {
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
  void pool.end();
});
