import type { OrderRequest } from "@vitrine/contracts/orders";
import { ServiceError } from "@vitrine/kit/errors";
import type { Events } from "./events.ts";
import type { InventoryClient } from "./inventory-client.ts";
import { settlementOf } from "./order-state.ts";
import type { Catalogue } from "./store/catalogue.ts";
import type { OrderStore, StoredOrder } from "./store/orders.ts";

export interface PlaceRequest extends OrderRequest {
  readonly customer: string;
  readonly key: string | undefined;
  readonly requestId: string;
}

export type PlaceOutcome =
  | { readonly kind: "settled"; readonly order: StoredOrder }
  | { readonly kind: "unknown_piece" }
  | { readonly kind: "conflict" };

export interface PlacingDeps {
  readonly catalogue: Catalogue;
  readonly orders: OrderStore;
  readonly inventory: InventoryClient;
  readonly events: Events;
  /** Makes order ids; they must sort by time. */
  readonly newId?: () => string;
  /** Told when an order failed that may hold a reservation, so that the next customer need not wait for it. */
  readonly releaseSoon: () => void;
}

/**
 * Places an order: keeps it, reserves under its own id, settles it. Whoever brings the key of an order that is not
 * settled drives the same order on: the reservation is idempotent and only one can settle it.
 */
export function createPlacing(deps: PlacingDeps): (request: PlaceRequest) => Promise<PlaceOutcome> {
  const { catalogue, orders, inventory, events } = deps;
  const newId = deps.newId ?? (() => Bun.randomUUIDv7());

  const findKnown = async ({ customer, key }: PlaceRequest) =>
    key === undefined ? undefined : await orders.findByKey(customer, key);

  async function keep(request: PlaceRequest): Promise<StoredOrder | undefined> {
    const piece = await catalogue.find(request.pieceId);
    if (piece === undefined) return undefined;
    const { customer, quantity, key, requestId } = request;
    const order =
      (await orders.insert({ id: newId(), customer, piece, quantity, key, requestId })) ?? (await findKnown(request));
    if (order !== undefined) return order;
    // The order that had the key failed and freed it between two statements.
    throw new ServiceError("unavailable", undefined, { reason: "key_freed", retryAfterSeconds: 1 });
  }

  async function settle(order: StoredOrder): Promise<StoredOrder> {
    const { id, pieceId, quantity } = order;
    const outcome = await inventory.reserve({ id, pieceId, quantity });
    const settlement = settlementOf(outcome);
    const settled = await orders.settle(id, settlement);
    if (settled !== undefined) {
      events.settled(settled);
      if (settlement.status === "failed" && settlement.releaseDue) deps.releaseSoon();
      return settled;
    }
    const current = await orders.find(id);
    if (current === undefined) throw new Error(`order ${id} is gone`);
    return current;
  }

  return async (request) => {
    const order = (await findKnown(request)) ?? (await keep(request));
    if (order === undefined) return { kind: "unknown_piece" };
    if (order.pieceId !== request.pieceId || order.quantity !== request.quantity) return { kind: "conflict" };
    return { kind: "settled", order: order.status === "placed" ? await settle(order) : order };
  };
}
