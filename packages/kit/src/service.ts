import { type BaseConfig, ConfigError, type Env } from "./config.ts";
import { createLifecycle, type Lifecycle, type ProcessLike } from "./lifecycle.ts";
import { createLogger, type Logger } from "./log.ts";
import { shutdownTelemetry } from "./telemetry/setup.ts";

export interface ServiceParts<C> {
  readonly config: C;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

export interface ServiceProcess extends ProcessLike {
  readonly env: Env;
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  on(event: "uncaughtException" | "unhandledRejection", listener: (reason: unknown) => void): unknown;
}

/**
 * Runs a service until it is told to stop: reads the configuration, makes logger and lifecycle, lets `start` wire the
 * rest, waits for a signal. A configuration that is not valid is said in one line that names every fault; exit code 1.
 * An error nobody caught ends the service the same way: its state cannot be trusted, and the runner starts it again.
 */
export async function runService<C extends BaseConfig>(
  name: string,
  process: ServiceProcess,
  parseConfig: (env: Env) => C,
  start: (parts: ServiceParts<C>) => Promise<void> | void,
): Promise<void> {
  let logger = createLogger({ service: name, level: "info", sink: "none" });
  try {
    const config = parseConfig(process.env);
    logger = createLogger({ service: name, ...config.log });
    const crash = (err: unknown) => {
      logger.fatal({ action: "service.failed", err }, "an error nobody caught");
      void exit(process, logger);
    };
    process.on("uncaughtException", crash);
    process.on("unhandledRejection", crash);
    const lifecycle = createLifecycle({ logger });
    await start({ config, logger, lifecycle });
    await lifecycle.run(process);
  } catch (err) {
    if (err instanceof ConfigError)
      logger.fatal({ action: "config.invalid", extra: { faults: err.faults } }, err.message);
    else logger.fatal({ action: "service.failed", err }, "the service could not start");
    await exit(process, logger);
  }
}

const exitTimeoutMs = 5_000;

/** Sends the last line and spans, then ends the process whatever it still holds open. */
async function exit(process: ServiceProcess, logger: Logger): Promise<void> {
  setTimeout(() => process.exit(1), exitTimeoutMs).unref();
  try {
    await shutdownTelemetry();
    await logger.flush();
  } finally {
    process.exit(1);
  }
}
