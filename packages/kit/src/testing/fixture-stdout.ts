/** Logs more in one go than stdout holds while it cannot be written, and ends by itself. */
import { createLogger } from "../log.ts";

const logger = createLogger({ service: "lossy", level: "info", sink: "otlp" });
for (let n = 0; n < 5_000; n++) logger.info({ action: "service.ready", extra: { n } }, "x".repeat(1_000));
