import { reservation, type ReservationRequest } from "@vitrine/contracts/inventory";
import { problem } from "@vitrine/contracts/problem";
import { tracedFetch, type TracedFetchInit } from "@vitrine/kit/fetch";
import type { Logger } from "@vitrine/kit/log";
import type { TokenSource } from "@vitrine/kit/tokens/source";
import type { ReservationOutcome } from "./order-state.ts";

/** The client of inventory. It never throws: what no usable answer came for is `unknown`, or not released. */
export interface InventoryClient {
  reserve(request: ReservationRequest): Promise<ReservationOutcome>;
  /** True once inventory has said that nothing is held, or ever will be, under this id. */
  release(id: string): Promise<boolean>;
}

export interface InventoryClientOptions {
  readonly url: string;
  readonly tokens: TokenSource;
  readonly logger: Logger;
  readonly fetch?: (url: URL, init: TracedFetchInit) => Promise<Response>;
  readonly timeoutMs?: number;
}

const attempts = 2;
const pauseMs = 100;

export function createInventoryClient(options: InventoryClientOptions): InventoryClient {
  const { tokens, logger } = options;
  const timeoutMs = options.timeoutMs ?? 2_000;

  /** Both calls are idempotent, so one that failed is sent once more. `read` returns `undefined` for no answer. */
  async function call<T>(path: string, init: RequestInit, read: (response: Response) => Promise<T | undefined>) {
    let budgetMs = timeoutMs * 1.5;
    for (let attempt = 1; ; attempt += 1) {
      const startedAt = performance.now();
      const answer = await exchange(path, init, Math.min(timeoutMs, budgetMs), read);
      if (answer !== undefined || attempt === attempts) return answer;
      await Bun.sleep(pauseMs);
      budgetMs -= performance.now() - startedAt;
    }
  }

  async function exchange<T>(
    path: string,
    init: RequestInit,
    timeoutMs: number,
    read: (response: Response) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      const response = await (options.fetch ?? tracedFetch)(new URL(path, options.url), {
        ...init,
        headers: { authorization: `Bearer ${await tokens.get()}`, "content-type": "application/json" },
        timeoutMs,
      });
      if (response.status === 401) tokens.forget();
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
    reserve: async (request) =>
      (await call("/api/inventory/reservations", { method: "POST", body: JSON.stringify(request) }, (response) =>
        readReservation(response, request),
      )) ?? "unknown",
    release: async (id) =>
      (await call(`/api/inventory/reservations/${id}`, { method: "DELETE" }, async (response) =>
        response.status === 204 ? true : undefined,
      )) ?? false,
  };
}

async function readReservation(
  response: Response,
  request: ReservationRequest,
): Promise<ReservationOutcome | undefined> {
  if (response.status === 409) {
    return problem.parse(await response.json()).code === "out_of_stock" ? "out_of_stock" : undefined;
  }
  if (response.status !== 200 && response.status !== 201) return undefined;
  const { id, pieceId, quantity, status } = reservation.parse(await response.json());
  const asked = id === request.id && pieceId === request.pieceId && quantity === request.quantity;
  return asked && status === "held" ? "held" : undefined;
}
