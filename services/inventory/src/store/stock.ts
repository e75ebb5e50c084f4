import { lowStock, type Movement, type Restock, type StockLevel } from "@vitrine/contracts/inventory";
import type { PieceKind } from "@vitrine/contracts/piece";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { KeyTaken } from "./key-taken.ts";

export interface PieceQuantity {
  readonly pieceId: string;
  readonly quantity: number;
}

export type Delivery = PieceQuantity & Omit<Restock, "quantity">;

type RestockOutcome =
  { readonly kind: "added" | "repeated"; readonly level: StockLevel } | { readonly kind: "conflict" };

export interface StockFilter {
  readonly maison?: string | undefined;
  readonly kind?: PieceKind | undefined;
  /** Only pieces that run low. */
  readonly low?: boolean;
}

/** What lies on the shelf, by maison and kind. */
export interface StockGroup {
  readonly maison: string | null;
  readonly kind: PieceKind | null;
  readonly available: number;
  readonly reserved: number;
  readonly low: number;
}

export interface StockStore {
  /** Up to `count` pieces after `after`, ordered by id. */
  list(filter: StockFilter, after: string | undefined, count: number): Promise<readonly StockLevel[]>;
  find(pieceId: string): Promise<StockLevel | undefined>;
  restock(delivery: Delivery, actor: string, key: string | undefined): Promise<RestockOutcome>;
  /** Up to `count` movements of a piece before `before`, newest first. */
  movements(pieceId: string, before: string | undefined, count: number): Promise<readonly Movement[]>;
  groups(): Promise<readonly StockGroup[]>;
}

/** `bigint` columns arrive as text; their check constraints keep them exact as numbers. */
interface StockRow {
  readonly piece_id: string;
  readonly maison: string | null;
  readonly kind: PieceKind | null;
  readonly available: string;
  readonly reserved: string;
  readonly sold: string;
  readonly [column: string]: unknown;
}

const columns = "piece_id, maison, kind, available, reserved, sold";

export function createStockStore(database: Database): StockStore {
  return {
    list: async (filter, after, count) => {
      const { text, values } = listQuery(filter, after, count);
      return (await database.query<StockRow>(text, values)).map(toLevel);
    },
    find: (pieceId) => findLevel(database, pieceId),
    restock: async (delivery, actor, key) => {
      try {
        return { kind: "added", level: await database.transaction((tx) => restock(tx, delivery, actor, key)) };
      } catch (error) {
        if (error instanceof KeyTaken) return await repeatedRestock(database, delivery, actor, key);
        throw error;
      }
    },
    movements: async (pieceId, before, count) => {
      const rows = await database.query<MovementRow>(movementsQuery, [pieceId, before ?? maxId, count]);
      return rows.map(toMovement);
    },
    groups: async () => {
      const rows = await database.query<StockRow & { readonly low: string }>(
        `select maison, kind, sum(available)::bigint as available, sum(reserved)::bigint as reserved,
           count(*) filter (where available <= ${lowStock}) as low
         from stock group by maison, kind order by maison, kind`,
      );
      return rows.map(({ maison, kind, available, reserved, low }) => ({
        maison,
        kind,
        available: Number(available),
        reserved: Number(reserved),
        low: Number(low),
      }));
    },
  };
}

/** One text per set of filters, each of which an index answers. */
export function listQuery({ maison, kind, low }: StockFilter, after: string | undefined, count: number) {
  const values: unknown[] = [after ?? "", count];
  const conditions = ["piece_id > $1"];
  if (maison !== undefined) conditions.push(`maison = $${values.push(maison)}`);
  if (kind !== undefined) conditions.push(`kind = $${values.push(kind)}`);
  if (low === true) conditions.push(`available <= ${lowStock}`);
  return {
    text: `select ${columns} from stock where ${conditions.join(" and ")} order by piece_id limit $2`,
    values,
  };
}

/** What lock contention locks. */
export const rowsEverybodyNeeds = "select piece_id from stock order by piece_id for update";

async function findLevel(on: Queryable, pieceId: string): Promise<StockLevel | undefined> {
  const [row] = await on.query<StockRow>(`select ${columns} from stock where piece_id = $1`, [pieceId]);
  return row === undefined ? undefined : toLevel(row);
}

async function restock(tx: Queryable, delivery: Delivery, actor: string, key: string | undefined): Promise<StockLevel> {
  const { pieceId, quantity, reason = "delivery", maison = null, kind = null } = delivery;
  const [row] = await tx.query<StockRow>(
    `insert into stock as s (piece_id, available, reserved, maison, kind) values ($1, $2, 0, $3, $4)
     on conflict (piece_id) do update set available = s.available + excluded.available, updated_at = now(),
       maison = coalesce(excluded.maison, s.maison), kind = coalesce(excluded.kind, s.kind)
     returning ${columns}`,
    [pieceId, quantity, maison, kind],
  );
  if (row === undefined) throw new Error("an upsert returned no row");
  const [added] = await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, actor, idempotency_key)
     values ($1, $2, $3, 0, $4, $5)
     on conflict (actor, idempotency_key) where idempotency_key is not null do nothing
     returning id`,
    [pieceId, kindOf[reason], quantity, actor, key ?? null],
  );
  if (added === undefined) throw new KeyTaken();
  return toLevel(row);
}

const kindOf = { delivery: "restock", return: "return" } as const;

async function repeatedRestock(
  on: Queryable,
  { pieceId, quantity, reason = "delivery" }: Delivery,
  actor: string,
  key: string | undefined,
): Promise<RestockOutcome> {
  const [same] = await on.query(
    `select id from movements
     where actor = $1 and idempotency_key = $2 and piece_id = $3 and available_delta = $4 and kind = $5`,
    [actor, key, pieceId, quantity, kindOf[reason]],
  );
  const level = same === undefined ? undefined : await findLevel(on, pieceId);
  return level === undefined ? { kind: "conflict" } : { kind: "repeated", level };
}

export const movementsQuery = `select id, kind, available_delta, reserved_delta, sold_delta, reservation_id, actor, created_at
  from movements where piece_id = $1 and id < $2 order by id desc limit $3`;
const maxId = "9223372036854775807";

interface MovementRow {
  readonly id: string;
  readonly kind: Movement["kind"];
  readonly available_delta: number;
  readonly reserved_delta: number;
  readonly sold_delta: number;
  readonly reservation_id: string | null;
  readonly actor: string;
  readonly created_at: Date;
  readonly [column: string]: unknown;
}

function toMovement(row: MovementRow): Movement {
  return {
    id: row.id,
    kind: row.kind,
    availableDelta: row.available_delta,
    reservedDelta: row.reserved_delta,
    soldDelta: row.sold_delta,
    reservationId: row.reservation_id,
    actor: row.actor,
    createdAt: row.created_at.toISOString(),
  };
}

function toLevel(row: StockRow): StockLevel {
  return {
    pieceId: row.piece_id,
    maison: row.maison,
    kind: row.kind,
    available: Number(row.available),
    reserved: Number(row.reserved),
    sold: Number(row.sold),
  };
}
