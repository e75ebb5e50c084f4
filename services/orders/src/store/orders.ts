import type { Piece } from "@vitrine/contracts/orders";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { type FailureReason, interruption, type OrderStatus, type Settlement, statesBefore } from "../order-state.ts";

interface NewOrder {
  readonly id: string;
  readonly customer: string;
  readonly piece: Piece;
  readonly quantity: number;
  readonly key: string | undefined;
  readonly requestId: string;
}

export interface StoredOrder {
  readonly id: string;
  readonly pieceId: string;
  readonly quantity: number;
  readonly unitAmount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly reason: FailureReason | null;
  readonly requestId: string;
  readonly createdAt: Date;
}

/** An order that has just left `placed`, with what its metrics say about the piece. */
export interface SettledOrder extends StoredOrder {
  readonly kind: Piece["kind"];
  readonly maison: string;
}

export interface OrderStore {
  /** Keeps a new order as `placed`; `undefined` when the customer has used the key for another one. */
  insert(order: NewOrder): Promise<StoredOrder | undefined>;
  find(id: string, customer?: string): Promise<StoredOrder | undefined>;
  findByKey(customer: string, key: string): Promise<StoredOrder | undefined>;
  /** The customer's orders older than `before`, newest first, up to `count`. */
  list(customer: string, before: string | undefined, count: number): Promise<readonly StoredOrder[]>;
  /** Takes an order out of `placed`; `undefined` when someone else already has. */
  settle(id: string, settlement: Settlement): Promise<SettledOrder | undefined>;
  /** Fails every order that has been `placed` for longer than `ageMs`. */
  settleInterrupted(ageMs: number): Promise<readonly SettledOrder[]>;
  /** Failed orders whose reservation may still exist, oldest first, up to `count`. */
  listReleaseDue(count: number): Promise<readonly StoredOrder[]>;
  markReleased(id: string): Promise<void>;
}

interface OrderRow {
  readonly id: string;
  readonly piece_id: string;
  readonly quantity: number;
  readonly unit_amount: string;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly reason: FailureReason | null;
  readonly request_id: string;
  readonly created_at: Date;
  readonly [column: string]: unknown;
}

interface SettledRow extends OrderRow {
  readonly kind: Piece["kind"];
  readonly maison: string;
}

const columns = [
  "id",
  "piece_id",
  "quantity",
  "unit_amount",
  "currency",
  "status",
  "reason",
  "request_id",
  "created_at",
]
  .map((column) => `o.${column}`)
  .join(", ");
const newestPossible = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export function createOrderStore(database: Database): OrderStore {
  const one = async (text: string, values: readonly unknown[]) => {
    const [row] = await database.query<OrderRow>(text, values);
    return row === undefined ? undefined : toOrder(row);
  };
  const many = async (text: string, values: readonly unknown[]) =>
    (await database.query<OrderRow>(text, values)).map(toOrder);
  return {
    insert: ({ id, customer, piece, quantity, key, requestId }) =>
      one(
        `insert into orders as o
           (id, customer, piece_id, quantity, unit_amount, currency, idempotency_key, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (customer, idempotency_key) where idempotency_key is not null do nothing
         returning ${columns}`,
        [id, customer, piece.id, quantity, piece.price.amount, piece.price.currency, key ?? null, requestId],
      ),
    find: (id, customer) =>
      customer === undefined
        ? one(`select ${columns} from orders o where id = $1`, [id])
        : one(`select ${columns} from orders o where id = $1 and customer = $2`, [id, customer]),
    findByKey: (customer, key) =>
      one(`select ${columns} from orders o where customer = $1 and idempotency_key = $2`, [customer, key]),
    list: (customer, before, count) =>
      many(`select ${columns} from orders o where customer = $1 and id < $2 order by id desc limit $3`, [
        customer,
        before ?? newestPossible,
        count,
      ]),
    settle: async (id, settlement) => (await settle(database, "o.id = $6", id, settlement))[0],
    settleInterrupted: (ageMs) =>
      settle(database, "o.created_at < now() - $6::float8 * interval '1 millisecond'", ageMs, interruption),
    listReleaseDue: (count) => many(`select ${columns} from orders o where release_due order by id limit $1`, [count]),
    markReleased: async (id) => {
      await database.query("update orders set release_due = false where id = $1", [id]);
    },
  };
}

async function settle(
  on: Queryable,
  condition: string,
  value: string | number,
  settlement: Settlement,
): Promise<readonly SettledOrder[]> {
  const failed = settlement.status === "failed" ? settlement : undefined;
  const rows = await on.query<SettledRow>(
    `update orders o set status = $1, reason = $2, release_due = $3, settled_at = now(),
       idempotency_key = case when $4 then null else o.idempotency_key end
     from pieces p where p.id = o.piece_id and o.status = any($5) and ${condition}
     returning ${columns}, p.kind, p.maison`,
    [
      settlement.status,
      failed?.reason ?? null,
      failed?.releaseDue ?? false,
      failed?.freesKey ?? false,
      statesBefore(settlement.status),
      value,
    ],
  );
  return rows.map(toSettled);
}

function toSettled(row: SettledRow): SettledOrder {
  return { ...toOrder(row), kind: row.kind, maison: row.maison };
}

function toOrder(row: OrderRow): StoredOrder {
  return {
    id: row.id,
    pieceId: row.piece_id,
    quantity: row.quantity,
    unitAmount: Number(row.unit_amount),
    currency: row.currency,
    status: row.status,
    reason: row.reason,
    requestId: row.request_id,
    createdAt: row.created_at,
  };
}
