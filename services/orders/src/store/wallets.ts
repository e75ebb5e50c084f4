import type { Balance, Hold, MovementRequest, StatementLine } from "@vitrine/contracts/customers";
import { type Database, sqlState } from "@vitrine/kit/postgres";
import { accounts, findLine, listStatement, post, TooLittle } from "./ledger.ts";

export interface MoneyMove extends MovementRequest {
  /** Names the move: made again under the same id it has no further effect. */
  readonly id: string;
  readonly movement: "deposit" | "withdrawal";
  readonly owner: string;
  readonly requestId: string;
}

export interface WalletStore {
  balances(owner: string): Promise<readonly Balance[]>;
  holds(owner: string): Promise<readonly Hold[]>;
  statement(
    owner: string,
    currency: string,
    before: string | undefined,
    count: number,
  ): Promise<readonly StatementLine[]>;
  /** @throws ServiceError `wallet_full` */
  move(request: MoneyMove): Promise<{ readonly line: StatementLine; readonly repeated: boolean } | "too_little">;
}

export function createWalletStore(database: Database): WalletStore {
  return {
    balances: async (owner) => {
      const rows = await database.query<{ currency: string; available: string; held: string }>(
        `select asset as currency, sum(balance) filter (where kind = 'wallet') as available,
           coalesce(sum(balance) filter (where kind = 'held'), 0) as held
         from accounts where owner = $1 and kind in ('wallet', 'held') group by asset order by asset`,
        [owner],
      );
      return rows.map((row) => ({
        currency: row.currency,
        available: Number(row.available),
        held: Number(row.held),
      }));
    },
    holds: async (owner) => {
      const rows = await database.query<{ id: string; amount: string; currency: string; changed_at: Date }>(
        `select id, unit_amount * quantity as amount, currency, changed_at from orders
         where customer = $1 and status = 'paid' and kind = 'buy' order by id`,
        [owner],
      );
      return rows.map(({ id, amount, currency, changed_at }) => ({
        orderId: id,
        amount: { amount: Number(amount), currency },
        since: changed_at.toISOString(),
      }));
    },
    statement: (owner, currency, before, count) => listStatement(database, owner, currency, before, count),
    move: (request) => moveMoney(database, request),
  };
}

async function moveMoney(database: Database, request: MoneyMove) {
  const { id, movement, owner, amount, currency, requestId } = request;
  const wallet = accounts.wallet(owner, currency);
  const bank = accounts.bank(currency);
  const sides = movement === "deposit" ? { debit: bank, credit: wallet } : { debit: wallet, credit: bank };
  let refused = false;
  let repeated = false;
  try {
    await database.transaction(async (tx) => {
      await tx.query("insert into customers (id) values ($1) on conflict (id) do update set last_active_at = now()", [
        owner,
      ]);
      await post(tx, [{ reference: id, movement, asset: currency, amount, ...sides, requestId }]);
    });
  } catch (error) {
    refused = error instanceof TooLittle;
    repeated = refused || sqlState(error) === "23505";
    if (!repeated) throw error;
  }
  // Also after a refusal: made before, the move may have left too little to be made again.
  const line = await findLine(database, id, owner, currency);
  if (line !== undefined) return { line, repeated };
  if (refused) return "too_little";
  throw new Error(`movement ${id} is gone`);
}
