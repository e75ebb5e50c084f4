import pg from "pg";

export interface Piece {
  readonly id: number;
  readonly maison: string;
  readonly name: string;
  readonly price: number;
}

export type FindPiece = (id: number) => Promise<Piece | undefined>;

/** The same statement in every variant, prepared once per connection as the kit's database does it. */
export const findStatement = "select id, maison, name, price from pieces where id = $1";
export const pieceCount = 1_000;
/** Connections of every variant's pool. */
export const poolSize = 10;

export function createPool(url: string): pg.Pool {
  return new pg.Pool({ connectionString: url, max: poolSize });
}

export function findIn(pool: pg.Pool): FindPiece {
  return async (id) => {
    const { rows } = await pool.query<Piece>({ name: "find_piece", text: findStatement, values: [id] });
    return rows[0];
  };
}

export async function seedPieces(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`
    create table pieces (id int primary key, maison text not null, name text not null, price bigint not null);
    insert into pieces select n, 'Maison ' || n % 17, 'Piece ' || n, n * 100 from generate_series(1, ${pieceCount}) n;
    analyze pieces;
  `);
  await client.end();
}
