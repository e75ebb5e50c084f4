import type { OrderEvent, orderKinds, Piece } from "@vitrine/contracts/orders";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import type { OrderReason, OrderStatus, Step } from "../order-state.ts";

export type OrderKind = (typeof orderKinds)[number];

export interface NewOrder {
  readonly id: string;
  readonly kind: OrderKind;
  readonly customer: string;
  readonly piece: Piece;
  readonly quantity: number;
  readonly requestId: string;
}

export interface StoredOrder {
  readonly id: string;
  readonly kind: OrderKind;
  readonly customer: string;
  readonly pieceId: string;
  readonly maison: string;
  readonly pieceKind: Piece["kind"];
  readonly quantity: number;
  readonly unitAmount: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly reason: OrderReason | null;
  /** Of the request that placed it. */
  readonly requestId: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly expiresAt: Date | null;
}

export interface OrderFilter {
  readonly customer?: string | undefined;
  readonly status?: OrderStatus | undefined;
  readonly kind?: OrderKind | undefined;
  readonly maison?: string | undefined;
  readonly pieceKind?: Piece["kind"] | undefined;
  /** Placed at or after, and before. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Work nobody is at any more: orders not settled, not paid in time, paid and not fulfilled, or still holding pieces. */
export type Due = "interrupted" | "expired" | "paid" | "release";

export interface OrderStore {
  find(id: string): Promise<StoredOrder | undefined>;
  /** Older than `before`, newest first, up to `count`. */
  list(filter: OrderFilter, before: string | undefined, count: number): Promise<readonly StoredOrder[]>;
  events(id: string): Promise<readonly OrderEvent[]>;
  /** Keeps a new order as `placed`; `undefined` when there is one of its id. */
  insert(order: NewOrder): Promise<StoredOrder | undefined>;
  /** Takes one step; `undefined` when the order is not in a state to take it, as when somebody else was quicker. */
  move(id: string, step: Step, by: MovedBy): Promise<StoredOrder | undefined>;
  /** @param ageMs how long nothing may have happened to an interrupted or paid order */
  listDue(due: Due, ageMs: number, count: number): Promise<readonly StoredOrder[]>;
  markReleased(id: string): Promise<void>;
}

export interface MovedBy {
  readonly requestId: string;
  /** For how long pieces are held; needed to become `reserved`. */
  readonly holdSeconds?: number;
}

interface OrderRow {
  readonly id: string;
  readonly kind: OrderKind;
  readonly customer: string;
  readonly piece_id: string;
  readonly maison: string;
  readonly piece_kind: Piece["kind"];
  readonly quantity: number;
  readonly unit_amount: string;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly reason: OrderReason | null;
  readonly request_id: string;
  readonly created_at: Date;
  readonly changed_at: Date;
  readonly expires_at: Date | null;
  readonly [column: string]: unknown;
}

const columns = `id, kind, customer, piece_id, maison, piece_kind, quantity, unit_amount, currency, status, reason,
  request_id, created_at, changed_at, expires_at`;

export function createOrderStore(database: Database): OrderStore {
  return {
    find: (id) => one(database, `select ${columns} from orders where id = $1`, [id]),
    list: (filter, before, count) => {
      const { text, values } = listOrdersQuery(filter, before, count);
      return many(database, text, values);
    },
    events: async (id) => {
      const rows = await database.query<OrderRow & { readonly at: Date }>(
        "select status, reason, request_id, at from order_events where order_id = $1 order by order_events.id",
        [id],
      );
      return rows.map(({ status, reason, request_id, at }) => ({
        status,
        reason,
        requestId: request_id,
        at: at.toISOString(),
      }));
    },
    insert: (order) => insertOrder(database, order),
    move: (id, step, by) => moveOrder(database, id, step, by),
    listDue: (due, ageMs, count) =>
      many(database, dueQueries[due], due === "interrupted" || due === "paid" ? [count, ageMs] : [count]),
    markReleased: async (id) => {
      await database.query("update orders set release_due = false where id = $1", [id]);
    },
  };
}

export const dueQueries: Readonly<Record<Due, string>> = {
  interrupted: `select ${columns} from orders
    where status = 'placed' and created_at < now() - $2::float8 * interval '1 millisecond' order by created_at limit $1`,
  expired: `select ${columns} from orders
    where status = 'reserved' and expires_at <= now() order by expires_at limit $1`,
  paid: `select ${columns} from orders
    where status = 'paid' and changed_at < now() - $2::float8 * interval '1 millisecond' order by changed_at limit $1`,
  release: `select ${columns} from orders where release_due order by id limit $1`,
};

/** Locked by the fault `lock_contention`: nobody can order while it is. */
export const rowsEverybodyNeeds = "select id from customers order by id for update";

/** One statement: the customer, the order, and its first event. */
export function insertOrder(on: Queryable, order: NewOrder): Promise<StoredOrder | undefined> {
  const { id, kind, customer, piece, quantity, requestId } = order;
  return one(
    on,
    `with active as (
       insert into customers as c (id) values ($2)
       on conflict (id) do update set last_active_at = now() where c.last_active_at < now() - interval '10 seconds'
     ), made as (
       insert into orders (id, customer, kind, piece_id, maison, piece_kind, quantity, unit_amount, currency, request_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (id) do nothing
       returning ${columns}
     ), noted as (
       insert into order_events (order_id, status, request_id) select id, status, request_id from made
     )
     select ${columns} from made`,
    [
      id,
      customer,
      kind,
      piece.id,
      piece.maison,
      piece.kind,
      quantity,
      piece.price.amount,
      piece.price.currency,
      requestId,
    ],
  );
}

/** One statement: the change of state under its condition, and its event. */
export function moveOrder(on: Queryable, id: string, step: Step, by: MovedBy): Promise<StoredOrder | undefined> {
  const { from, to, reason, releaseDue } = step;
  return one(
    on,
    `with moved as (
       update orders set status = $2, reason = $3, release_due = $4, changed_at = now(),
         expires_at = coalesce(now() + make_interval(secs => $5), expires_at)
       where id = $1 and status = $6 and ($2 <> 'paid' or expires_at > now())
       returning ${columns}
     ), noted as (
       insert into order_events (order_id, status, reason, request_id) select id, status, reason, $7 from moved
     )
     select ${columns} from moved`,
    [id, to, reason, releaseDue, by.holdSeconds ?? null, from, by.requestId],
  );
}

const newestPossible = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** One text per set of filters, so that each is planned for its own index. Ids are UUIDv7: their order is that of time. */
export function listOrdersQuery(filter: OrderFilter, before: string | undefined, count: number) {
  const values: unknown[] = [before ?? newestPossible, count];
  const conditions = ["id < $1"];
  const equal = { customer: "customer", status: "status", kind: "kind", maison: "maison", pieceKind: "piece_kind" };
  for (const [name, column] of Object.entries(equal)) {
    const value = filter[name as keyof typeof equal];
    if (value !== undefined) conditions.push(`${column} = $${values.push(value)}`);
  }
  const compare = (operator: ">=" | "<", time: string, idsFromMs: number) => {
    const ms = Date.parse(time);
    conditions.push(`created_at ${operator} to_timestamp($${values.push(ms)}::float8 / 1000)`);
    conditions.push(`id ${operator} $${values.push(firstIdAt(ms + idsFromMs))}`);
  };
  if (filter.from !== undefined) compare(">=", filter.from, -idAgeMs);
  if (filter.to !== undefined) compare("<", filter.to, clockSkewMs);
  return {
    text: `select ${columns} from orders where ${conditions.join(" and ")} order by id desc limit $2`,
    values,
  };
}

/**
 * An id is made before its order: a moment, or as long as a key is kept where the request was cut off and brought again.
 * So ids only narrow down where in the index to look; by whose clock they were made matters no more than this.
 */
const idAgeMs = 25 * 3_600_000;
const clockSkewMs = 60_000;

/** The lowest UUIDv7 of a moment (RFC 9562 §5.7). */
function firstIdAt(timeMs: number): string {
  const ms = Math.min(Math.max(timeMs, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
}

async function one(on: Queryable, text: string, values: readonly unknown[]): Promise<StoredOrder | undefined> {
  return (await many(on, text, values))[0];
}

async function many(on: Queryable, text: string, values: readonly unknown[]): Promise<readonly StoredOrder[]> {
  return (await on.query<OrderRow>(text, values)).map(toOrder);
}

function toOrder(row: OrderRow): StoredOrder {
  return {
    id: row.id,
    kind: row.kind,
    customer: row.customer,
    pieceId: row.piece_id,
    maison: row.maison,
    pieceKind: row.piece_kind,
    quantity: row.quantity,
    unitAmount: Number(row.unit_amount),
    currency: row.currency,
    status: row.status,
    reason: row.reason,
    requestId: row.request_id,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    expiresAt: row.expires_at,
  };
}
