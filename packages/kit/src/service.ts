import { type BaseConfig, ConfigError, type Env } from "./config.ts";
import { createLifecycle, type Lifecycle, type ProcessLike } from "./lifecycle.ts";
import { createLogger, type Logger } from "./log.ts";

export interface ServiceParts<C> {
  readonly config: C;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

export interface ServiceProcess extends ProcessLike {
  readonly env: Env;
}

/**
 * Runs a service until it is told to stop: reads the configuration, makes logger and lifecycle, lets `start` wire the
 * rest, waits for a signal. A configuration that is not valid is said in one line that names every fault; exit code 1.
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
    const lifecycle = createLifecycle({ logger });
    await start({ config, logger, lifecycle });
    await lifecycle.run(process);
  } catch (err) {
    if (err instanceof ConfigError)
      logger.fatal({ action: "config.invalid", extra: { faults: err.faults } }, err.message);
    else logger.fatal({ action: "service.failed", err }, "the service could not start");
    await logger.flush();
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 1_000).unref();
  }
}
