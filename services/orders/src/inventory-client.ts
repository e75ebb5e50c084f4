import { reservation } from "@vitrine/contracts/inventory";
import { problem } from "@vitrine/contracts/problem";
import type { Logger } from "@vitrine/kit/log";
import type { Upstream, UpstreamInit } from "@vitrine/kit/upstream";
import type { ReservationOutcome } from "./order-state.ts";
import type { StoredOrder } from "./store/orders.ts";

type Pieces = Pick<StoredOrder, "id" | "pieceId" | "quantity">;

/** `over`: nothing is held under the id any more, so it was given back or its time had passed. */
export type CommitOutcome = "committed" | "over" | "unknown";

/** The client of inventory. It never throws: what no usable answer came for is `unknown`, or not done. */
export interface InventoryClient {
  reserve(order: Pieces, expiresInSeconds: number): Promise<ReservationOutcome>;
  /** Sells what is reserved under this id. */
  commit(id: string): Promise<CommitOutcome>;
  /** True once inventory has said that nothing is held, or ever will be, under this id. */
  release(id: string): Promise<boolean>;
  /** True once the pieces of an order to sell are in stock again. */
  takeBack(order: Pieces): Promise<boolean>;
}

export function createInventoryClient(upstream: Upstream, logger: Logger): InventoryClient {
  /** Every call may be repeated; `read` returns `undefined` for no usable answer. */
  async function call<T>(
    path: string,
    init: UpstreamInit,
    read: (response: Response) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      const response = await upstream.fetch(`/api/inventory${path}`, init);
      const answer = await read(response);
      if (answer === undefined) warn({ status: response.status });
      return answer;
    } catch (err) {
      // No answer, or one that is not JSON of the contract: for the order both mean the same.
      warn({}, err);
      return undefined;
    }
  }

  function warn(extra: Readonly<Record<string, unknown>>, err?: unknown): void {
    logger.warn({ action: "order.inventory_failed", extra, ...(err === undefined ? {} : { err }) }, "inventory failed");
  }

  return {
    reserve: async (order, expiresInSeconds) => {
      const { id, pieceId, quantity } = order;
      const init = post(id, { id, pieceId, quantity, expiresInSeconds });
      return (await call("/reservations", init, (response) => readReservation(response, order))) ?? "unknown";
    },
    commit: async (id) => (await call(`/reservations/${id}/commit`, post(id), readCommit)) ?? "unknown",
    release: async (id) => {
      const done = async ({ status }: Response) => (status === 204 || status === 409 ? true : undefined);
      return (await call(`/reservations/${id}`, { method: "DELETE" }, done)) ?? false;
    },
    takeBack: async ({ id, pieceId, quantity }) => {
      const done = async ({ status }: Response) => (status === 200 ? true : undefined);
      return (await call(`/${pieceId}/restock`, post(id, { quantity, reason: "return" }), done)) ?? false;
    },
  };
}

/** The key is the order's id: however often it is sent, it takes effect once. */
function post(key: string, body?: unknown): UpstreamInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

async function readReservation(response: Response, asked: Pieces): Promise<ReservationOutcome | undefined> {
  if (response.status === 409) {
    return problem.parse(await response.json()).code === "out_of_stock" ? "out_of_stock" : undefined;
  }
  if (response.status !== 200 && response.status !== 201) return undefined;
  const { id, pieceId, quantity, status } = reservation.parse(await response.json());
  const same = id === asked.id && pieceId === asked.pieceId && quantity === asked.quantity;
  return same && status === "held" ? "held" : undefined;
}

async function readCommit(response: Response): Promise<CommitOutcome | undefined> {
  if (response.status === 200) return "committed";
  if (response.status === 404) return "over";
  if (response.status !== 409) return undefined;
  return problem.parse(await response.json()).code === "reservation_over" ? "over" : undefined;
}
