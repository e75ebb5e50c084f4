import { createLogger, type Logger } from "../log.ts";

export interface LogLine {
  readonly level: string;
  readonly action: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A real logger that keeps its lines for a test to read. */
export function memoryLogger(service = "test"): {
  readonly logger: Logger;
  readonly lines: LogLine[];
} {
  const lines: LogLine[] = [];
  const logger = createLogger({
    service,
    level: "debug",
    sink: "none",
    destination: {
      write: (line: string) => lines.push(JSON.parse(line) as LogLine),
    },
  });
  return { logger, lines };
}

/** Readiness of a service that has started and is well. */
export const alwaysReady = {
  isReady: () => true,
  isStarting: () => false,
  report: () => Promise.resolve({ ready: true, checks: {} }),
};
