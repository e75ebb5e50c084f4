import type { Reservation } from "@vitrine/contracts/inventory";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { judgeRetry, type Held, type RetryOutcome } from "../reservation-retry.ts";
import { commit, type CommitOutcome, type Ended, expire, release, type ReleaseOutcome } from "./ending.ts";
import { KeyTaken } from "./key-taken.ts";
import { columns, findReservation, type ReservationRow, toReservation, toWire } from "./reservation-rows.ts";

type ReserveOutcome =
  | { readonly kind: "held"; readonly reservation: Reservation }
  | RetryOutcome
  | { readonly kind: "out_of_stock" | "key_conflict" };

export interface ReservationFilter {
  readonly status?: Reservation["status"] | undefined;
  readonly pieceId?: string | undefined;
}

/** Every change runs in one transaction that locks the reservation first and the piece's stock second. */
export interface ReservationStore {
  /** @param key the actor's own, good for one request */
  reserve(request: Held, actor: string, key?: string): Promise<ReserveOutcome>;
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

export function createReservationStore(database: Database): ReservationStore {
  return {
    reserve: async (request, actor, key) => {
      try {
        return await database.transaction((tx) => reserve(tx, request, actor, key));
      } catch (error) {
        if (error instanceof KeyTaken) return { kind: "key_conflict" };
        throw error;
      }
    },
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

async function reserve(tx: Queryable, request: Held, actor: string, key: string | undefined): Promise<ReserveOutcome> {
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
  const [moved] = await tx.query(
    `insert into movements (piece_id, kind, available_delta, reserved_delta, reservation_id, actor, idempotency_key)
     values ($1, 'reserve', $2, $3, $4, $5, $6)
     on conflict (actor, idempotency_key) where idempotency_key is not null do nothing
     returning id`,
    [pieceId, -quantity, quantity, id, actor, key ?? null],
  );
  if (moved === undefined) throw new KeyTaken();
  return { kind: "held", reservation: toReservation(fresh) };
}
