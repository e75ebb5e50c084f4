import type { Reservation, ReservationRequest, StockLevel } from "@vitrine/contracts/inventory";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { judgeRetry, type RetryOutcome, type StoredReservation } from "./reservation-retry.ts";

export interface PieceQuantity {
  readonly pieceId: string;
  readonly quantity: number;
}

type RestockOutcome =
  { readonly kind: "added" | "repeated"; readonly level: StockLevel } | { readonly kind: "conflict" };

type ReserveOutcome =
  { readonly kind: "held"; readonly reservation: Reservation } | RetryOutcome | { readonly kind: "out_of_stock" };

/** Every change runs in one transaction that locks the reservation or the key first and the piece's stock second. */
export interface StockStore {
  /** Up to `count` pieces after `after`, ordered by id. */
  list(after: string | undefined, count: number): Promise<readonly StockLevel[]>;
  find(pieceId: string): Promise<StockLevel | undefined>;
  restock(request: PieceQuantity, actor: string, key: string | undefined): Promise<RestockOutcome>;
  reserve(request: ReservationRequest, actor: string): Promise<ReserveOutcome>;
  /** Gives back what was held and returns it; an id nobody has used yet can never be held from then on. */
  release(id: string, actor: string): Promise<PieceQuantity | undefined>;
}

/** `bigint` columns arrive as text; their check constraints keep them exact as numbers. */
interface StockRow {
  readonly piece_id: string;
  readonly available: string;
  readonly reserved: string;
  readonly [column: string]: unknown;
}

export function createStockStore(database: Database): StockStore {
  return {
    list: async (after, count) => {
      const rows = await database.query<StockRow>(
        "select piece_id, available, reserved from stock where piece_id > $1 order by piece_id limit $2",
        [after ?? "", count],
      );
      return rows.map(toLevel);
    },
    find: (pieceId) => findLevel(database, pieceId),
    restock: (request, actor, key) => database.transaction((tx) => restock(tx, request, actor, key)),
    reserve: (request, actor) => database.transaction((tx) => reserve(tx, request, actor)),
    release: (id, actor) => database.transaction((tx) => release(tx, id, actor)),
  };
}

async function findLevel(on: Queryable, pieceId: string): Promise<StockLevel | undefined> {
  const [row] = await on.query<StockRow>("select piece_id, available, reserved from stock where piece_id = $1", [
    pieceId,
  ]);
  return row === undefined ? undefined : toLevel(row);
}

async function restock(
  tx: Queryable,
  { pieceId, quantity }: PieceQuantity,
  actor: string,
  key: string | undefined,
): Promise<RestockOutcome> {
  const [added] = await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, actor, idempotency_key)
     values ($1, 'restock', $2, 0, $3, $4)
     on conflict (actor, idempotency_key) where idempotency_key is not null do nothing
     returning id`,
    [pieceId, quantity, actor, key ?? null],
  );
  if (added === undefined) return await repeatedRestock(tx, { pieceId, quantity }, actor, key);
  const [row] = await tx.query<StockRow>(
    `insert into stock as s (piece_id, available, reserved) values ($1, $2, 0)
     on conflict (piece_id) do update set available = s.available + excluded.available, updated_at = now()
     returning piece_id, available, reserved`,
    [pieceId, quantity],
  );
  if (row === undefined) throw new Error("an upsert returned no row");
  return { kind: "added", level: toLevel(row) };
}

async function repeatedRestock(
  tx: Queryable,
  { pieceId, quantity }: PieceQuantity,
  actor: string,
  key: string | undefined,
): Promise<RestockOutcome> {
  const [same] = await tx.query(
    `select id from movements
     where actor = $1 and idempotency_key = $2 and piece_id = $3 and available_delta = $4`,
    [actor, key, pieceId, quantity],
  );
  const level = same === undefined ? undefined : await findLevel(tx, pieceId);
  return level === undefined ? { kind: "conflict" } : { kind: "repeated", level };
}

async function reserve(tx: Queryable, request: ReservationRequest, actor: string): Promise<ReserveOutcome> {
  const { id, pieceId, quantity } = request;
  const [fresh] = await tx.query<{ created_at: Date }>(
    `insert into reservations (id, piece_id, quantity, status)
     select $1, piece_id, $3::integer, 'held' from stock where piece_id = $2 and available >= $3::integer
     on conflict (id) do nothing
     returning created_at`,
    [id, pieceId, quantity],
  );
  if (fresh === undefined) {
    const stored = await findReservation(tx, id);
    return stored === undefined ? { kind: "out_of_stock" } : judgeRetry(stored, request);
  }
  // The condition is read again under the row's lock: this is where overselling is impossible.
  const [taken] = await tx.query(
    `update stock set available = available - $2::integer, reserved = reserved + $2::integer, updated_at = now()
     where piece_id = $1 and available >= $2::integer
     returning piece_id`,
    [pieceId, quantity],
  );
  if (taken === undefined) {
    await tx.query("delete from reservations where id = $1", [id]);
    return { kind: "out_of_stock" };
  }
  await recordMove(tx, { kind: "reserve", id, pieceId, quantity: -quantity, actor });
  return { kind: "held", reservation: { ...request, status: "held", createdAt: fresh.created_at.toISOString() } };
}

async function findReservation(tx: Queryable, id: string): Promise<StoredReservation | undefined> {
  const [row] = await tx.query<{
    piece_id: string | null;
    quantity: number | null;
    status: Reservation["status"];
    created_at: Date;
  }>("select piece_id, quantity, status, created_at from reservations where id = $1", [id]);
  if (row === undefined) return undefined;
  return { pieceId: row.piece_id, quantity: row.quantity, status: row.status, createdAt: row.created_at };
}

async function release(tx: Queryable, id: string, actor: string): Promise<PieceQuantity | undefined> {
  const [row] = await tx.query<{ piece_id: string | null; quantity: number | null }>(
    `insert into reservations as r (id, status, released_at) values ($1, 'released', now())
     on conflict (id) do update set status = 'released', released_at = now() where r.status = 'held'
     returning piece_id, quantity`,
    [id],
  );
  if (row === undefined || row.piece_id === null || row.quantity === null) return undefined;
  const freed = { pieceId: row.piece_id, quantity: row.quantity };
  await tx.query(
    `update stock set available = available + $2::integer, reserved = reserved - $2::integer, updated_at = now() where piece_id = $1`,
    [freed.pieceId, freed.quantity],
  );
  await recordMove(tx, { kind: "release", id, ...freed, actor });
  return freed;
}

interface Move extends PieceQuantity {
  readonly kind: "reserve" | "release";
  readonly id: string;
  readonly actor: string;
}

/** `quantity` is what the shelf gains: negative for a reservation. */
async function recordMove(tx: Queryable, { kind, id, pieceId, quantity, actor }: Move): Promise<void> {
  await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, reservation_id, actor)
     values ($1, $2, $3, $4, $5, $6)`,
    [pieceId, kind, quantity, -quantity, id, actor],
  );
}

function toLevel(row: StockRow): StockLevel {
  return { pieceId: row.piece_id, available: Number(row.available), reserved: Number(row.reserved) };
}
