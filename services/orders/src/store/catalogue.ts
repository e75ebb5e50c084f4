import type { Piece } from "@vitrine/contracts/orders";
import type { Database } from "@vitrine/kit/postgres";

interface PieceFilter {
  readonly maison?: string | undefined;
  readonly kind?: Piece["kind"] | undefined;
}

export interface Catalogue {
  /** Up to `count` pieces after `after`, ordered by id. */
  list(filter: PieceFilter, after: string | undefined, count: number): Promise<readonly Piece[]>;
  find(id: string): Promise<Piece | undefined>;
  put(piece: Piece): Promise<"created" | "changed" | "unchanged">;
}

/** `bigint` columns arrive as text; their check constraints keep them exact as numbers. */
interface PieceRow {
  readonly id: string;
  readonly maison: string;
  readonly name: string;
  readonly kind: Piece["kind"];
  readonly price_amount: string;
  readonly price_currency: string;
  readonly [column: string]: unknown;
}

const columns = "id, maison, name, kind, price_amount, price_currency";

export function createCatalogue(database: Database): Catalogue {
  return {
    list: async (filter, after, count) => {
      const values: unknown[] = [after ?? "", count];
      // One text per set of filters, so that each is planned for its own index.
      let condition = "id > $1";
      if (filter.maison !== undefined) condition += ` and maison = $${values.push(filter.maison)}`;
      if (filter.kind !== undefined) condition += ` and kind = $${values.push(filter.kind)}`;
      const rows = await database.query<PieceRow>(
        `select ${columns} from pieces where ${condition} order by id limit $2`,
        values,
      );
      return rows.map(toPiece);
    },
    find: async (id) => {
      const [row] = await database.query<PieceRow>(`select ${columns} from pieces where id = $1`, [id]);
      return row === undefined ? undefined : toPiece(row);
    },
    put: async ({ id, maison, name, kind, price }) => {
      const [row] = await database.query<{ created: boolean }>(
        `insert into pieces as p (${columns}) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set maison = excluded.maison, name = excluded.name, kind = excluded.kind,
           price_amount = excluded.price_amount, price_currency = excluded.price_currency, updated_at = now()
         where (p.maison, p.name, p.kind, p.price_amount, p.price_currency) is distinct from
           (excluded.maison, excluded.name, excluded.kind, excluded.price_amount, excluded.price_currency)
         returning created_at = updated_at as created`,
        [id, maison, name, kind, price.amount, price.currency],
      );
      if (row === undefined) return "unchanged";
      return row.created ? "created" : "changed";
    },
  };
}

function toPiece(row: PieceRow): Piece {
  return {
    id: row.id,
    maison: row.maison,
    name: row.name,
    kind: row.kind,
    price: { amount: Number(row.price_amount), currency: row.price_currency },
  };
}
