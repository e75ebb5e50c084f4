import type { Money } from "@vitrine/contracts/money";
import type { OrderRequest } from "@vitrine/contracts/orders";
import type { Events } from "./events.ts";
import type { Fulfilment } from "./fulfilment.ts";
import type { Effect } from "./idempotent.ts";
import type { InventoryClient } from "./inventory-client.ts";
import { stepAfterReservation } from "./order-state.ts";
import type { Catalogue } from "./store/catalogue.ts";
import type { NewOrder, OrderStore, StoredOrder } from "./store/orders.ts";
import type { TradeStore } from "./store/trades.ts";

export interface PlaceRequest extends OrderRequest {
  readonly customer: string;
  readonly requestId: string;
}

export type PlaceOutcome =
  | { readonly kind: "order"; readonly order: StoredOrder }
  | { readonly kind: "unknown_piece" }
  | { readonly kind: "price_changed"; readonly price: Money };

export interface PlacingDeps {
  readonly catalogue: Catalogue;
  readonly orders: OrderStore;
  readonly trades: TradeStore;
  readonly inventory: InventoryClient;
  readonly fulfilment: Fulfilment;
  readonly events: Events;
  /** For how long a reserved order waits for its payment. */
  readonly holdSeconds: number;
  /** Told when an order ended that may hold a reservation, so that the next customer need not wait for it. */
  readonly releaseSoon: () => void;
}

/** Inventory holds the pieces a little longer, so that what is paid in the last moment is still there. */
const marginSeconds = 60;

/**
 * Places an order: keeps it, then reserves pieces under its own id, or takes them back from the customer. Whoever takes
 * the request up again drives the same order on: every step is taken once.
 */
export function createPlacing(deps: PlacingDeps): (request: PlaceRequest, effect: Effect) => Promise<PlaceOutcome> {
  const { catalogue, orders, trades, inventory, fulfilment, events, holdSeconds } = deps;

  async function present(id: string): Promise<StoredOrder> {
    const order = await orders.find(id);
    if (order === undefined) throw new Error(`order ${id} is gone`);
    return order;
  }

  async function buy(request: NewOrder): Promise<StoredOrder> {
    const placed = await orders.insert(request);
    if (placed !== undefined) events.step(placed);
    return await settle(placed ?? (await present(request.id)), request.requestId);
  }

  async function settle(order: StoredOrder, requestId: string): Promise<StoredOrder> {
    if (order.status !== "placed") return order;
    const step = stepAfterReservation(await inventory.reserve(order, holdSeconds + marginSeconds));
    const settled = await orders.move(order.id, step, { requestId, holdSeconds });
    if (settled === undefined) return await present(order.id);
    events.step(settled);
    if (step.releaseDue) deps.releaseSoon();
    return settled;
  }

  async function sell(request: NewOrder): Promise<StoredOrder> {
    const passed = await trades.sell(request);
    for (const order of passed) events.step(order);
    return await complete(passed.at(-1) ?? (await present(request.id)), request.requestId);
  }

  async function complete(order: StoredOrder, requestId: string): Promise<StoredOrder> {
    return order.status === "paid" ? await fulfilment.complete(order, requestId) : order;
  }

  return async ({ kind, pieceId, quantity, expectedPrice, customer, requestId }, { id, resumed }) => {
    const known = resumed ? await orders.find(id) : undefined;
    if (known?.kind === "buy") return { kind: "order", order: await settle(known, requestId) };
    if (known?.kind === "sell") return { kind: "order", order: await complete(known, requestId) };
    const piece = await catalogue.find(pieceId);
    if (piece === undefined) return { kind: "unknown_piece" };
    const { price } = piece;
    if (expectedPrice !== undefined && !isSame(expectedPrice, price)) return { kind: "price_changed", price };
    const order = { id, kind, customer, piece, quantity, requestId };
    return { kind: "order", order: kind === "buy" ? await buy(order) : await sell(order) };
  };
}

function isSame(a: Money, b: Money): boolean {
  return a.amount === b.amount && a.currency === b.currency;
}
