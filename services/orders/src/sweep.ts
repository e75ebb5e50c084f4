import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { withRequestScope } from "@vitrine/kit/context";
import type { Logger } from "@vitrine/kit/log";
import type { Events } from "./events.ts";
import type { InventoryClient } from "./inventory-client.ts";
import type { OrderStore, StoredOrder } from "./store/orders.ts";

export interface SweepDeps {
  readonly orders: OrderStore;
  readonly inventory: InventoryClient;
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

/**
 * Fails orders whose placing was interrupted, and gives back what failed orders may still hold. Any number of
 * processes may sweep at once: settling has one winner, releasing is idempotent.
 */
export function createSweep({ orders, inventory, events, logger, interruptedAfterMs }: SweepDeps): Sweep {
  let running: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    for (const order of await orders.settleInterrupted(interruptedAfterMs)) {
      await inRequest(order.requestId, async () => events.settled(order));
    }
    for (
      let due = await orders.listReleaseDue(batchSize);
      due.length > 0;
      due = await orders.listReleaseDue(batchSize)
    ) {
      for (const order of due) {
        // The rest would fail the same way; the next run starts over.
        if (!(await inRequest(order.requestId, () => release(order)))) return;
      }
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
