/** Logs three lines to Loki and ends, as a process of its own: what was written last must still arrive. */
import { createLogger } from "../log.ts";

const [, , url = "", token = ""] = process.argv;
const logger = createLogger({
  service: "fixture",
  level: "info",
  sink: "loki",
  loki: { url, token },
});
logger.info({ action: "service.started" }, "first");
logger.warn({ action: "service.not_ready", extra: { token: "hidden" } }, "second");
logger.error({ action: "service.failed", err: new Error("broken") }, "third");
await logger.flush();
