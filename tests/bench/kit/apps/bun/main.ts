/** `bare` and `log`: Hono and pg on Bun, and with `ACCESS_LOG=on` one pino line per request. */
import { Hono } from "hono";
import { pino } from "pino";
import { accessLine } from "../access-line.ts";
import { callBy } from "../call.ts";
import { createPool, findIn } from "../pieces.ts";
import { pieceRoutes } from "../routes.ts";

const { PORT, DATABASE_URL = "", OTHER_URL = "", ACCESS_LOG } = process.env;
const app = new Hono();
if (ACCESS_LOG === "on") app.use(accessLine(pino(pino.destination({ dest: 1, sync: false }))));
app.route("/", pieceRoutes(findIn(createPool(DATABASE_URL)), callBy(OTHER_URL)));
Bun.serve({ hostname: "127.0.0.1", port: Number(PORT), fetch: app.fetch });
