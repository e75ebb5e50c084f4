import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { withRequestScope } from "@vitrine/kit/context";
import type { Logger } from "@vitrine/kit/log";
import type { BusinessGauges } from "./business-gauges.ts";
import type { Events } from "./events.ts";
import type { Fulfilment } from "./fulfilment.ts";
import type { InventoryClient } from "./inventory-client.ts";
import { type Step, steps } from "./order-state.ts";
import type { IdempotencyKeys } from "./store/idempotency-keys.ts";
import type { Due, OrderStore, StoredOrder } from "./store/orders.ts";

export interface SweepDeps {
  readonly orders: OrderStore;
  readonly keys: IdempotencyKeys;
  readonly inventory: InventoryClient;
  readonly fulfilment: Fulfilment;
  readonly gauges: BusinessGauges;
  readonly events: Events;
  readonly logger: Logger;
  readonly interruptedAfterMs: number;
}

export interface Sweep {
  /** Settles what is left over; joins a run under way and never throws. */
  run(): Promise<void>;
  /** Resolves when no run is under way. */
  idle(): Promise<void>;
}

const batchSize = 100;
const keyAgeMs = 24 * 3_600_000;

/**
 * Ends orders whose placing was interrupted or that nobody paid, drives on paid ones, and gives back what ended orders
 * may still hold. Any number of processes may sweep at once: each step has one winner, inventory's part is idempotent.
 */
export function createSweep(deps: SweepDeps): Sweep {
  const { orders, keys, inventory, fulfilment, gauges, events, logger, interruptedAfterMs } = deps;
  let running: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    await endAll("interrupted", steps.interrupted);
    await endAll("expired", steps.notPaid);
    await eachDue("paid", async (order) => (await fulfilment.complete(order, order.requestId)).status !== "paid");
    await eachDue("release", release);
    // All of them: at a thousand requests a second more grow old between two sweeps than are forgotten at once.
    while (await quietly(() => keys.forget(keyAgeMs)));
    await quietly(() => gauges.refresh());
  }

  function endAll(due: Due, step: Step): Promise<void> {
    return eachDue(due, async (order) => {
      const ended = await orders.move(order.id, step, { requestId: order.requestId });
      if (ended !== undefined) events.step(ended);
      return true;
    });
  }

  /** Until none is left; once one cannot be dealt with, the rest would fail the same way: the next run starts over. */
  async function eachDue(due: Due, work: (order: StoredOrder) => Promise<boolean>): Promise<void> {
    for (;;) {
      const found = await quietly(() => orders.listDue(due, interruptedAfterMs, batchSize));
      if (found.length === 0) return;
      for (const order of found) if (!(await inRequest(order.requestId, () => work(order)))) return;
    }
  }

  async function release(order: StoredOrder): Promise<boolean> {
    if (!(await inventory.release(order.id))) return false;
    await orders.markReleased(order.id);
    events.released(order);
    return true;
  }

  return {
    run: () => {
      running ??= sweep()
        .catch((err: unknown) => logger.warn({ action: "order.sweep_failed", err }, "the sweep failed"))
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    idle: async () => running,
  };
}

/** The sweep's lines and calls carry the id of the request that left the order over. */
function inRequest<T>(requestId: string, work: () => Promise<T>): Promise<T> {
  return context.with(withRequestScope(ROOT_CONTEXT, { requestId }), work);
}

/** What happens every few seconds and finds nothing leaves no trace. */
function quietly<T>(work: () => Promise<T>): Promise<T> {
  return context.with(suppressTracing(context.active()), work);
}
