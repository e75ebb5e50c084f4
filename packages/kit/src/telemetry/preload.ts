/**
 * The one line a service needs: `bun --preload @vitrine/kit/telemetry/preload src/main.ts`. It runs before any other
 * module is loaded, which is what lets `pg` be instrumented.
 */
import { ConfigError } from "../config.ts";
import { leaveOutUnusedModules } from "./unused-modules.ts";

leaveOutUnusedModules();
// Not at the top: what is imported there is loaded before anything runs.
const { shutdownTelemetry, startTelemetry } = await import("./setup.ts");

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
