import type { StatementLine } from "@vitrine/contracts/customers";
import { ServiceError } from "@vitrine/kit/errors";
import { type Queryable, sqlState } from "@vitrine/kit/postgres";

/** An account of the ledger: a customer's, or the bank's and the shop's. It is made when it is first used. */
export interface Account {
  readonly id: string;
  readonly owner: string | null;
  readonly kind: "wallet" | "held" | "lot" | "bank" | "shop";
  readonly lot: string | null;
}

export const accounts = {
  /** Where money comes from and goes to outside of the shop. */
  bank: (asset: string): Account => ({ id: `bank:${asset}`, owner: null, kind: "bank", lot: null }),
  /** The till, and for pieces the stock room. */
  shop: (asset: string): Account => ({ id: `shop:${asset}`, owner: null, kind: "shop", lot: null }),
  wallet: (owner: string, asset: string): Account => ({
    id: `wallet:${owner}:${asset}`,
    owner,
    kind: "wallet",
    lot: null,
  }),
  held: (owner: string, asset: string): Account => ({ id: `held:${owner}:${asset}`, owner, kind: "held", lot: null }),
  /** The pieces one order brought. */
  lot: (owner: string, orderId: string): Account => ({ id: `lot:${orderId}`, owner, kind: "lot", lot: orderId }),
};

export type Movement = "deposit" | "withdrawal" | "hold" | "release" | "capture" | "payout" | "delivery" | "return";

export interface Transfer {
  /** What it belongs to; each movement of one reference and account is made once. */
  readonly reference: string;
  readonly movement: Movement;
  /** A currency, or a piece. */
  readonly asset: string;
  /** Minor units or pieces, above zero. */
  readonly amount: number;
  readonly debit: Account;
  readonly credit: Account;
  readonly requestId: string;
}

/** Thrown by {@link post} when an account would fall below zero: the transaction it was part of undoes everything. */
export class TooLittle extends Error {
  override readonly name = "TooLittle";
}

/**
 * Writes transfers into the ledger, in a transaction of the caller's. They are refused by the database unless they
 * balance, no account of a customer falls below zero, and none of them was made before.
 * @throws TooLittle; ServiceError `wallet_full`; an error of state 23505 when one was made before
 */
export async function post(tx: Queryable, transfers: readonly Transfer[]): Promise<void> {
  if (transfers.length === 0) return;
  const used = transfers.flatMap(({ asset, debit, credit }) => [
    { ...debit, asset },
    { ...credit, asset },
  ]);
  await tx.query(
    `insert into accounts (id, owner, kind, asset, lot)
     select distinct * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[])
     on conflict do nothing`,
    [
      used.map(({ id }) => id),
      used.map(({ owner }) => owner),
      used.map(({ kind }) => kind),
      used.map(({ asset }) => asset),
      used.map(({ lot }) => lot),
    ],
  );
  const posted = await insert(tx, transfers).catch((cause: unknown) => {
    if (sqlState(cause) !== "23514") throw cause;
    // Bank and shop are never short of anything: it was too much for whom they gave to.
    if (transfers.some(({ debit }) => debit.owner === null))
      throw new ServiceError("wallet_full", undefined, { cause });
    // Somebody else took from the account meanwhile.
    throw new TooLittle("an account would fall below zero", { cause });
  });
  if (posted < transfers.length) throw new TooLittle("an account would fall below zero");
}

/** Leaves out what there is too little for, so that an everyday refusal is no error of the database. */
async function insert(tx: Queryable, transfers: readonly Transfer[]): Promise<number> {
  const posted = await tx.query(
    `insert into transfers (reference, movement, asset, amount, debit, credit, request_id)
     select t.* from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[])
       as t (reference, movement, asset, amount, debit, credit, request_id)
     join accounts a on a.id = t.debit where a.owner is null or a.balance >= t.amount
     returning id`,
    [
      transfers.map(({ reference }) => reference),
      transfers.map(({ movement }) => movement),
      transfers.map(({ asset }) => asset),
      transfers.map(({ amount }) => amount),
      transfers.map(({ debit }) => debit.id),
      transfers.map(({ credit }) => credit.id),
      transfers.map(({ requestId }) => requestId),
    ],
  );
  return posted.length;
}

interface EntryRow {
  readonly id: string;
  readonly reference: string;
  readonly movement: StatementLine["movement"];
  readonly amount: string;
  readonly available: string;
  readonly created_at: Date;
  readonly [column: string]: unknown;
}

/** What went out of an account and what came in, each side by its own index. */
export const statementQuery = `
  (select id, reference, movement, -amount as amount, debit_balance as available, created_at from transfers
   where debit = $1 and id < $2 order by id desc limit $3)
  union all
  (select id, reference, movement, amount, credit_balance, created_at from transfers
   where credit = $1 and id < $2 order by id desc limit $3)
  order by id desc limit $3`;

const newestPossible = "9223372036854775807";

/** The lines of a wallet older than `before`, newest first, up to `count`. */
export async function listStatement(
  on: Queryable,
  owner: string,
  currency: string,
  before: string | undefined,
  count: number,
): Promise<readonly StatementLine[]> {
  const account = accounts.wallet(owner, currency).id;
  const rows = await on.query<EntryRow>(statementQuery, [account, before ?? newestPossible, count]);
  return rows.map((row) => toLine(row, currency));
}

/** The line a deposit or withdrawal made, if it was made. */
export async function findLine(
  on: Queryable,
  reference: string,
  owner: string,
  currency: string,
): Promise<StatementLine | undefined> {
  const [row] = await on.query<EntryRow>(
    `select id, reference, movement, created_at,
       case when debit = $2 then -amount else amount end as amount,
       case when debit = $2 then debit_balance else credit_balance end as available
     from transfers where reference = $1 and $2 in (debit, credit)`,
    [reference, accounts.wallet(owner, currency).id],
  );
  return row === undefined ? undefined : toLine(row, currency);
}

function toLine({ id, reference, movement, amount, available, created_at }: EntryRow, currency: string): StatementLine {
  const ofOrder = movement !== "deposit" && movement !== "withdrawal";
  return {
    id,
    movement,
    amount: Number(amount),
    currency,
    available: Number(available),
    orderId: ofOrder ? reference : null,
    at: created_at.toISOString(),
  };
}
