import type { Reservation } from "@vitrine/contracts/inventory";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { judgeRetry, type Held, type RetryOutcome, type StoredReservation } from "../reservation-retry.ts";

type ReserveOutcome =
  { readonly kind: "held"; readonly reservation: Reservation } | RetryOutcome | { readonly kind: "out_of_stock" };

/** A reservation that has just ended, and for how long it was held. */
export interface Ended {
  readonly id: string;
  readonly pieceId: string;
  readonly quantity: number;
  readonly ageSeconds: number;
}

type CommitOutcome =
  | { readonly kind: "committed"; readonly reservation: Reservation; readonly ended: Ended }
  | { readonly kind: "repeated"; readonly reservation: Reservation }
  | { readonly kind: "unknown" | "over" };

type ReleaseOutcome = { readonly kind: "released"; readonly ended: Ended } | { readonly kind: "nothing" | "committed" };

export interface ReservationFilter {
  readonly status?: Reservation["status"] | undefined;
  readonly pieceId?: string | undefined;
}

/** Every change runs in one transaction that locks the reservation first and the piece's stock second. */
export interface ReservationStore {
  reserve(request: Held, actor: string): Promise<ReserveOutcome>;
  /** Sells what is held. */
  commit(id: string, actor: string): Promise<CommitOutcome>;
  /** Gives back what is held; an id nobody has used yet can never be held from then on. */
  release(id: string, actor: string): Promise<ReleaseOutcome>;
  /** Gives back up to a hundred reservations whose time has passed; any number of processes may do so at once. */
  expire(): Promise<readonly Ended[]>;
  find(id: string): Promise<Reservation | undefined>;
  list(filter: ReservationFilter, after: string | undefined, count: number): Promise<readonly Reservation[]>;
  /** How many are held, and for how many seconds the oldest has been. */
  held(): Promise<{ readonly count: number; readonly oldestSeconds: number }>;
  /** Whether any has passed its time. */
  isDue(): Promise<boolean>;
}

interface ReservationRow {
  readonly id: string;
  readonly piece_id: string;
  readonly quantity: number;
  readonly status: Reservation["status"];
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly [column: string]: unknown;
}

interface EndedRow extends ReservationRow {
  readonly ended_at: Date;
}

const columns = "id, piece_id, quantity, status, created_at, expires_at";

export const dueQuery = `select id from reservations where status = 'held' and expires_at <= now()
  order by expires_at limit 100 for update skip locked`;

export function createReservationStore(database: Database): ReservationStore {
  return {
    reserve: (request, actor) => database.transaction((tx) => reserve(tx, request, actor)),
    commit: (id, actor) => database.transaction((tx) => commit(tx, id, actor)),
    release: (id, actor) => database.transaction((tx) => release(tx, id, actor)),
    expire: () => database.transaction(expire),
    find: async (id) => {
      const stored = await findReservation(database, id);
      return stored === undefined || stored.pieceId === null ? undefined : { id, ...toWire(stored) };
    },
    list: async (filter, after, count) => {
      const { text, values } = listReservationsQuery(filter, after, count);
      return (await database.query<ReservationRow>(text, values)).map(toReservation);
    },
    held: async () => {
      const [row] = await database.query<{ count: string; oldest: string | null }>(
        "select count(*), extract(epoch from now() - min(created_at)) as oldest from reservations where status = 'held'",
      );
      return { count: Number(row?.count ?? 0), oldestSeconds: Number(row?.oldest ?? 0) };
    },
    isDue: async () => {
      const due = await database.query(
        "select 1 from reservations where status = 'held' and expires_at <= now() limit 1",
      );
      return due.length > 0;
    },
  };
}

export function listReservationsQuery(
  { status, pieceId }: ReservationFilter,
  after: string | undefined,
  count: number,
) {
  const values: unknown[] = [after ?? "00000000-0000-0000-0000-000000000000", count];
  const conditions = ["id > $1", "piece_id is not null"];
  if (status !== undefined) conditions.push(`status = $${values.push(status)}`);
  if (pieceId !== undefined) conditions.push(`piece_id = $${values.push(pieceId)}`);
  return {
    text: `select ${columns} from reservations where ${conditions.join(" and ")} order by id limit $2`,
    values,
  };
}

async function reserve(tx: Queryable, request: Held, actor: string): Promise<ReserveOutcome> {
  const { id, pieceId, quantity, expiresInSeconds } = request;
  const [fresh] = await tx.query<ReservationRow>(
    `insert into reservations (id, piece_id, quantity, status, expires_at)
     select $1, piece_id, $3::integer, 'held', now() + make_interval(secs => $4)
     from stock where piece_id = $2 and available >= $3::integer
     on conflict (id) do nothing
     returning ${columns}`,
    [id, pieceId, quantity, expiresInSeconds],
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
  await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, reservation_id, actor)
     values ($1, 'reserve', $2, $3, $4, $5)`,
    [pieceId, -quantity, quantity, id, actor],
  );
  return { kind: "held", reservation: toReservation(fresh) };
}

async function commit(tx: Queryable, id: string, actor: string): Promise<CommitOutcome> {
  const [row] = await tx.query<EndedRow>(
    `update reservations set status = 'committed', ended_at = now() where id = $1 and status = 'held'
     returning ${columns}, ended_at`,
    [id],
  );
  if (row === undefined) {
    const stored = await findReservation(tx, id);
    if (stored === undefined) return { kind: "unknown" };
    if (stored.status !== "committed" || stored.pieceId === null) return { kind: "over" };
    return { kind: "repeated", reservation: { id, ...toWire(stored) } };
  }
  await tx.query(
    `update stock set reserved = reserved - $2::integer, sold = sold + $2::integer, updated_at = now()
     where piece_id = $1`,
    [row.piece_id, row.quantity],
  );
  await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, sold_delta, reservation_id, actor)
     values ($1, 'commit', 0, $2, $3, $4, $5)`,
    [row.piece_id, -row.quantity, row.quantity, id, actor],
  );
  return { kind: "committed", reservation: toReservation(row), ended: toEnded(row) };
}

async function release(tx: Queryable, id: string, actor: string): Promise<ReleaseOutcome> {
  const [row] = await tx.query<EndedRow & { readonly piece_id: string | null }>(
    `insert into reservations as r (id, status, ended_at) values ($1, 'released', now())
     on conflict (id) do update set status = 'released', ended_at = now() where r.status = 'held'
     returning ${columns}, ended_at`,
    [id],
  );
  if (row === undefined) {
    const stored = await findReservation(tx, id);
    return { kind: stored?.status === "committed" ? "committed" : "nothing" };
  }
  if (row.piece_id === null) return { kind: "nothing" };
  const ended = toEnded(row);
  await giveBack(tx, "release", [ended], actor);
  return { kind: "released", ended };
}

async function expire(tx: Queryable): Promise<readonly Ended[]> {
  const due = await tx.query<{ id: string }>(dueQuery);
  if (due.length === 0) return [];
  const rows = await tx.query<EndedRow>(
    `update reservations set status = 'expired', ended_at = now() where id = any($1) returning ${columns}, ended_at`,
    [due.map(({ id }) => id)],
  );
  const ended = rows.map(toEnded);
  await giveBack(tx, "expire", ended, "inventory");
  return ended;
}

/** Stock is locked in the order of its ids, so that two that give back many pieces never wait for each other. */
async function giveBack(
  tx: Queryable,
  kind: "release" | "expire",
  ended: readonly Ended[],
  actor: string,
): Promise<void> {
  const pieces = ended.map(({ pieceId }) => pieceId);
  const quantities = ended.map(({ quantity }) => quantity);
  if (ended.length > 1)
    await tx.query("select piece_id from stock where piece_id = any($1) order by piece_id for update", [pieces]);
  await tx.query(
    `update stock s set available = available + back.quantity, reserved = reserved - back.quantity, updated_at = now()
     from (select piece_id, sum(quantity)::bigint as quantity from unnest($1::text[], $2::integer[]) as t (piece_id, quantity)
       group by piece_id) back
     where s.piece_id = back.piece_id`,
    [pieces, quantities],
  );
  await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, reservation_id, actor)
     select piece_id, $3, quantity, -quantity, id, $5
     from unnest($1::text[], $2::integer[], $4::uuid[]) as t (piece_id, quantity, id)`,
    [pieces, quantities, kind, ended.map(({ id }) => id), actor],
  );
}

async function findReservation(on: Queryable, id: string): Promise<StoredReservation | undefined> {
  const [row] = await on.query<{
    piece_id: string | null;
    quantity: number | null;
    status: Reservation["status"];
    created_at: Date;
    expires_at: Date | null;
  }>(`select ${columns} from reservations where id = $1`, [id]);
  if (row === undefined) return undefined;
  const { piece_id: pieceId, quantity, expires_at: expiresAt, status, created_at: createdAt } = row;
  if (pieceId === null || quantity === null || expiresAt === null) return { pieceId: null, createdAt };
  return { pieceId, quantity, status, createdAt, expiresAt };
}

type Known = Extract<StoredReservation, { readonly pieceId: string }>;

function toWire({ pieceId, quantity, status, createdAt, expiresAt }: Known): Omit<Reservation, "id"> {
  return { pieceId, quantity, status, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

function toReservation(row: ReservationRow): Reservation {
  return {
    id: row.id,
    pieceId: row.piece_id,
    quantity: row.quantity,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}

function toEnded({ id, piece_id: pieceId, quantity, created_at: from, ended_at: to }: EndedRow): Ended {
  return { id, pieceId, quantity, ageSeconds: (to.getTime() - from.getTime()) / 1_000 };
}
