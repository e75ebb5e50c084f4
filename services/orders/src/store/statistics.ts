import type { Balance } from "@vitrine/contracts/customers";
import type { Money } from "@vitrine/contracts/money";
import type { PieceKind } from "@vitrine/contracts/piece";
import type { Database } from "@vitrine/kit/postgres";
import type { OrderKind } from "./orders.ts";

export interface OpenOrders {
  readonly kind: OrderKind;
  readonly status: "placed" | "reserved" | "paid";
  readonly count: number;
  readonly oldestSeconds: number;
}

/** The shop as a whole, at one moment. */
export interface Statistics {
  readonly open: readonly OpenOrders[];
  readonly balances: readonly Balance[];
  readonly collections: readonly (Money & { readonly basis: "cost" | "present" })[];
  readonly pieces: readonly { readonly kind: PieceKind; readonly count: number }[];
  readonly active: Readonly<Record<"5m" | "1h" | "24h", number>>;
}

export async function readStatistics(database: Database): Promise<Statistics> {
  const [open, balances, lots, active] = await Promise.all([
    database.query<{ kind: OrderKind; status: OpenOrders["status"]; count: string; oldest: string }>(
      `select kind, status, count(*), extract(epoch from now() - min(changed_at)) as oldest from orders
       where status in ('placed', 'reserved', 'paid') group by kind, status`,
    ),
    database.query<{ currency: string; available: string; held: string }>(
      `select asset as currency, coalesce(sum(balance) filter (where kind = 'wallet'), 0) as available,
         coalesce(sum(balance) filter (where kind = 'held'), 0) as held
       from accounts where kind in ('wallet', 'held') group by asset`,
    ),
    database.query<LotsRow>(
      `select p.kind, o.currency as cost_currency, p.price_currency, sum(a.balance) as pieces,
         sum(a.balance * o.unit_amount) as cost, sum(a.balance * p.price_amount) as value
       from accounts a join orders o on o.id = a.lot join pieces p on p.id = o.piece_id
       where a.kind = 'lot' and a.balance > 0 group by p.kind, o.currency, p.price_currency`,
    ),
    database.query<Record<"m5" | "h1" | "h24", string>>(
      `select count(*) filter (where last_active_at > now() - interval '5 minutes') as m5,
         count(*) filter (where last_active_at > now() - interval '1 hour') as h1, count(*) as h24
       from customers where last_active_at > now() - interval '24 hours'`,
    ),
  ]);
  return {
    open: open.map(({ kind, status, count, oldest }) => ({
      kind,
      status,
      count: Number(count),
      oldestSeconds: Number(oldest),
    })),
    balances: balances.map(({ currency, available, held }) => ({
      currency,
      available: Number(available),
      held: Number(held),
    })),
    collections: [
      ...sumBy(lots, "cost", "cost_currency", ({ cost }) => cost),
      ...sumBy(lots, "present", "price_currency", ({ value }) => value),
    ],
    pieces: [...Map.groupBy(lots, ({ kind }) => kind)].map(([kind, rows]) => ({
      kind,
      count: rows.reduce((sum, { pieces }) => sum + Number(pieces), 0),
    })),
    active: {
      "5m": Number(active[0]?.m5 ?? 0),
      "1h": Number(active[0]?.h1 ?? 0),
      "24h": Number(active[0]?.h24 ?? 0),
    },
  };
}

interface LotsRow {
  readonly kind: PieceKind;
  readonly cost_currency: string;
  readonly price_currency: string;
  readonly pieces: string;
  readonly cost: string;
  readonly value: string;
  readonly [column: string]: unknown;
}

function sumBy(
  rows: readonly LotsRow[],
  basis: "cost" | "present",
  currency: "cost_currency" | "price_currency",
  amountOf: (row: LotsRow) => string,
): Statistics["collections"] {
  return [...Map.groupBy(rows, (row) => row[currency])].map(([code, group]) => ({
    basis,
    currency: code,
    amount: group.reduce((sum, row) => sum + Number(amountOf(row)), 0),
  }));
}
