import { context } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import type { Logger } from "@vitrine/kit/log";
import type { Events } from "./events.ts";
import type { StockGauges } from "./stock-gauges.ts";
import type { ReservationStore } from "./store/reservations.ts";

export interface SweepDeps {
  readonly reservations: ReservationStore;
  readonly gauges: StockGauges;
  readonly events: Events;
  readonly logger: Logger;
}

export interface Sweep {
  /** Ends reservations past their time, then reads the gauges anew; joins a run under way and never throws. */
  run(): Promise<void>;
  /** Resolves when no run is under way. */
  idle(): Promise<void>;
}

/** What inventory does by itself. It leaves a trace only when there was something to do. */
export function createSweep({ reservations, gauges, events, logger }: SweepDeps): Sweep {
  let running: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    while (await quietly(() => reservations.isDue())) {
      const expired = await reservations.expire();
      // Another process has them.
      if (expired.length === 0) break;
      for (const ended of expired) events.expired(ended);
    }
    await quietly(() => gauges.refresh());
  }

  return {
    run: () => {
      running ??= sweep()
        .catch((err: unknown) => logger.warn({ action: "stock.sweep_failed", err }, "the sweep failed"))
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    idle: async () => running,
  };
}

function quietly<T>(work: () => Promise<T>): Promise<T> {
  return context.with(suppressTracing(context.active()), work);
}
