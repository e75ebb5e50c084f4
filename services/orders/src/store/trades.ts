import type { Database, Queryable } from "@vitrine/kit/postgres";
import { steps } from "../order-state.ts";
import { accounts, post, TooLittle, type Transfer } from "./ledger.ts";
import { insertOrder, moveOrder, type NewOrder, type StoredOrder } from "./orders.ts";

/** Steps of an order that move money or pieces: each is one transaction, in which the order is locked first. */
export interface TradeStore {
  /** Sets the money aside; `undefined` when the order cannot be paid (any more). */
  pay(id: string, requestId: string): Promise<StoredOrder | "too_little" | undefined>;
  /** Money to the shop and pieces to the customer; for what was sold back both have moved already. */
  fulfil(order: StoredOrder, requestId: string): Promise<StoredOrder | undefined>;
  /** Ends a paid order whose pieces are gone, and gives the money back. */
  refund(order: StoredOrder, requestId: string): Promise<StoredOrder | undefined>;
  /**
   * Places an order to sell and pays for it at once: pieces to the shop, oldest first, money to the customer. Every
   * state it passes is in the list; none when there is an order of its id.
   * @throws ServiceError `wallet_full`
   */
  sell(order: NewOrder): Promise<readonly StoredOrder[]>;
}

export function createTradeStore(database: Database): TradeStore {
  return {
    pay: async (id, requestId) => {
      try {
        return await database.transaction(async (tx) => {
          const order = await moveOrder(tx, id, steps.paid, { requestId });
          if (order !== undefined) await post(tx, moneyOf(order, "hold", requestId));
          return order;
        });
      } catch (error) {
        if (error instanceof TooLittle) return "too_little";
        throw error;
      }
    },
    fulfil: (order, requestId) =>
      database.transaction(async (tx) => {
        const fulfilled = await moveOrder(tx, order.id, steps.fulfilled, { requestId });
        if (fulfilled?.kind === "buy")
          await post(tx, [...moneyOf(fulfilled, "capture", requestId), delivery(fulfilled)]);
        return fulfilled;
      }),
    refund: (order, requestId) =>
      database.transaction(async (tx) => {
        const failed = await moveOrder(tx, order.id, steps.reservationLost, { requestId });
        if (failed !== undefined) await post(tx, moneyOf(failed, "release", requestId));
        return failed;
      }),
    sell: (order) => database.transaction((tx) => sell(tx, order)),
  };
}

/** The money of an order on its way; nothing when the pieces are free. */
function moneyOf(
  order: StoredOrder,
  movement: "hold" | "capture" | "release" | "payout",
  requestId: string,
): readonly Transfer[] {
  const { id, customer, currency: asset, unitAmount, quantity } = order;
  const amount = unitAmount * quantity;
  if (amount === 0) return [];
  const [wallet, held, shop] = [accounts.wallet(customer, asset), accounts.held(customer, asset), accounts.shop(asset)];
  const ways = {
    hold: [wallet, held],
    capture: [held, shop],
    release: [held, wallet],
    payout: [shop, wallet],
  } as const;
  const [debit, credit] = ways[movement];
  return [{ reference: id, movement, asset, amount, debit, credit, requestId }];
}

function delivery({ id, customer, pieceId, quantity, requestId }: StoredOrder): Transfer {
  return {
    reference: id,
    movement: "delivery",
    asset: pieceId,
    amount: quantity,
    debit: accounts.shop(pieceId),
    credit: accounts.lot(customer, id),
    requestId,
  };
}

interface LotRow {
  readonly lot: string;
  readonly balance: string;
  readonly [column: string]: unknown;
}

async function sell(tx: Queryable, request: NewOrder): Promise<readonly StoredOrder[]> {
  const placed = await insertOrder(tx, request);
  if (placed === undefined) return [];
  const { id, customer, pieceId, quantity, requestId } = placed;
  const lots = await tx.query<LotRow>(
    `select lot, balance from accounts where owner = $1 and asset = $2 and kind = 'lot' and balance > 0
     order by lot for no key update`,
    [customer, pieceId],
  );
  const returns: Transfer[] = [];
  let missing = quantity;
  for (const { lot, balance } of lots) {
    const amount = Math.min(missing, Number(balance));
    if (amount === 0) break;
    missing -= amount;
    const debit = accounts.lot(customer, lot);
    const credit = accounts.shop(pieceId);
    returns.push({ reference: id, movement: "return", asset: pieceId, amount, debit, credit, requestId });
  }
  if (missing > 0) return known([placed, await moveOrder(tx, id, steps.notOwned, { requestId })]);
  const reserved = await moveOrder(tx, id, steps.reserved, { requestId, holdSeconds: 60 });
  const paid = await moveOrder(tx, id, steps.paid, { requestId });
  await post(tx, [...returns, ...moneyOf(placed, "payout", requestId)]);
  return known([placed, reserved, paid]);
}

function known(orders: readonly (StoredOrder | undefined)[]): readonly StoredOrder[] {
  return orders.filter((order) => order !== undefined);
}
