/**
 * The one line a service needs: `bun --preload @vitrine/kit/telemetry/preload src/main.ts`. It runs before any other
 * module is loaded, which is what lets `pg` be instrumented.
 */
import { startTelemetry } from "./setup.ts";

// The SDK reads these itself; spans are to be seen within a second or two, not five.
process.env["OTEL_BSP_SCHEDULE_DELAY"] ??= "1000";
process.env["OTEL_BSP_MAX_QUEUE_SIZE"] ??= "8192";

startTelemetry(process.env);
