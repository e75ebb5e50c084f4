import type { CollectionItem, CollectionSummary } from "@vitrine/contracts/customers";
import type { Money } from "@vitrine/contracts/money";
import type { Database } from "@vitrine/kit/postgres";

/** Where a page of a collection ends: a piece, and the currency it was bought in. */
export interface CollectionPosition {
  readonly pieceId: string;
  readonly currency: string;
}

export interface CollectionStore {
  /** Up to `count` items after `after`, ordered by piece and currency. */
  list(owner: string, after: CollectionPosition | undefined, count: number): Promise<readonly CollectionItem[]>;
  summary(owner: string): Promise<Omit<CollectionSummary, "customer">>;
}

interface ItemRow {
  readonly piece_id: string;
  readonly currency: string;
  readonly name: string;
  readonly maison: string;
  readonly kind: CollectionItem["kind"];
  readonly price_amount: string;
  readonly price_currency: string;
  readonly quantity: string;
  readonly cost: string;
  readonly [column: string]: unknown;
}

/** What is left of each order's pieces, at that order's price: no cost is ever rounded. */
const lots = `select a.asset as piece_id, o.currency, sum(a.balance) as quantity, sum(a.balance * o.unit_amount) as cost
  from accounts a join orders o on o.id = a.lot
  where a.owner = $1 and a.kind = 'lot' and a.balance > 0`;

export const collectionQuery = `select l.*, p.name, p.maison, p.kind, p.price_amount, p.price_currency
  from (${lots} and (a.asset, o.currency) > ($2, $3) group by 1, 2 order by 1, 2 limit $4) l
  join pieces p on p.id = l.piece_id order by l.piece_id, l.currency`;

export function createCollectionStore(database: Database): CollectionStore {
  return {
    list: async (owner, after, count) => {
      const rows = await database.query<ItemRow>(collectionQuery, [
        owner,
        after?.pieceId ?? "",
        after?.currency ?? "",
        count,
      ]);
      return rows.map(toItem);
    },
    summary: async (owner) => {
      const rows = await database.query<{ basis: "cost" | "value"; currency: string; amount: string; pieces: string }>(
        `with lots as (${lots} group by 1, 2)
         select 'cost' as basis, currency, sum(cost) as amount, sum(quantity) as pieces from lots group by currency
         union all
         select 'value', p.price_currency, sum(l.quantity * p.price_amount), 0
         from lots l join pieces p on p.id = l.piece_id group by p.price_currency
         order by 1, 2`,
        [owner],
      );
      const of = (basis: "cost" | "value"): Money[] =>
        rows.filter((row) => row.basis === basis).map(({ amount, currency }) => ({ amount: Number(amount), currency }));
      return {
        pieces: rows.reduce((sum, { pieces }) => sum + Number(pieces), 0),
        cost: of("cost"),
        value: of("value"),
      };
    },
  };
}

function toItem(row: ItemRow): CollectionItem {
  const quantity = Number(row.quantity);
  return {
    pieceId: row.piece_id,
    name: row.name,
    maison: row.maison,
    kind: row.kind,
    quantity,
    cost: { amount: Number(row.cost), currency: row.currency },
    value: { amount: Number(row.price_amount) * quantity, currency: row.price_currency },
  };
}
