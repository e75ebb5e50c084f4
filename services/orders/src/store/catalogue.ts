import type { Piece } from "@vitrine/contracts/orders";
import type { Database } from "@vitrine/kit/postgres";

export interface PieceFilter {
  readonly maison?: string | undefined;
  readonly kind?: Piece["kind"] | undefined;
  readonly currency?: string | undefined;
  /** Minor units, both included. */
  readonly minPrice?: number | undefined;
  readonly maxPrice?: number | undefined;
  readonly limited?: boolean | undefined;
  /** Beginnings of words of the maison or the name; accents do not matter. */
  readonly search?: string | undefined;
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
  readonly edition: number | null;
  readonly [column: string]: unknown;
}

const columns = "id, maison, name, kind, price_amount, price_currency, edition";

export function createCatalogue(database: Database): Catalogue {
  return {
    list: async (filter, after, count) => {
      const { text, values } = listPiecesQuery(filter, after, count);
      return (await database.query<PieceRow>(text, values)).map(toPiece);
    },
    find: async (id) => {
      const [row] = await database.query<PieceRow>(`select ${columns} from pieces where id = $1`, [id]);
      return row === undefined ? undefined : toPiece(row);
    },
    put: async ({ id, maison, name, kind, price, edition }) => {
      const [row] = await database.query<{ created: boolean }>(
        `insert into pieces as p (${columns}) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (id) do update set maison = excluded.maison, name = excluded.name, kind = excluded.kind,
           price_amount = excluded.price_amount, price_currency = excluded.price_currency, edition = excluded.edition,
           updated_at = now()
         where (p.maison, p.name, p.kind, p.price_amount, p.price_currency, p.edition) is distinct from
           (excluded.maison, excluded.name, excluded.kind, excluded.price_amount, excluded.price_currency,
             excluded.edition)
         returning created_at = updated_at as created`,
        [id, maison, name, kind, price.amount, price.currency, edition],
      );
      if (row === undefined) return "unchanged";
      return row.created ? "created" : "changed";
    },
  };
}

/** One text per set of filters, so that each is planned for its own index. */
export function listPiecesQuery(filter: PieceFilter, after: string | undefined, count: number) {
  const values: unknown[] = [after ?? "", count];
  const conditions = ["id > $1"];
  const compare = (column: string, operator: "=" | ">=" | "<=", value: string | number | undefined) => {
    if (value !== undefined) conditions.push(`${column} ${operator} $${values.push(value)}`);
  };
  compare("maison", "=", filter.maison);
  compare("kind", "=", filter.kind);
  compare("price_currency", "=", filter.currency);
  compare("price_amount", ">=", filter.minPrice);
  compare("price_amount", "<=", filter.maxPrice);
  if (filter.limited === true) conditions.push("edition is not null");
  if (filter.search !== undefined)
    conditions.push(`words @@ to_tsquery('simple', $${values.push(toWordQuery(filter.search))})`);
  return { text: `select ${columns} from pieces where ${conditions.join(" and ")} order by id limit $2`, values };
}

/** Every word of the text as the beginning of one; folded as the column is. */
function toWordQuery(text: string): string {
  const words =
    text
      .normalize("NFKD")
      .replaceAll(/\p{Mn}/gu, "")
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map((word) => `'${word}':*`).join(" & ");
}

function toPiece(row: PieceRow): Piece {
  return {
    id: row.id,
    maison: row.maison,
    name: row.name,
    kind: row.kind,
    price: { amount: Number(row.price_amount), currency: row.price_currency },
    edition: row.edition,
  };
}
