/**
 * The one line a service needs: `bun --preload @vitrine/kit/telemetry/preload src/main.ts`. It runs before any other
 * module is loaded, which is what lets `pg` be instrumented.
 */
import { ConfigError } from "../config.ts";
import { shutdownTelemetry, startTelemetry } from "./setup.ts";

// The SDK reads these itself; spans are to be seen within a second or two, not five.
process.env["OTEL_BSP_SCHEDULE_DELAY"] ??= "1000";
process.env["OTEL_BSP_MAX_QUEUE_SIZE"] ??= "8192";

try {
  startTelemetry(process.env);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const { faults, message } = error;
  const line = { level: "fatal", timestamp: new Date().toISOString(), action: "config.invalid", message };
  process.stderr.write(`${JSON.stringify({ ...line, extra: { faults } })}\n`);
  process.exit(1);
}

// A program that ends by itself, without `runService`, must not take its last spans with it.
process.once("beforeExit", () => void shutdownTelemetry());
