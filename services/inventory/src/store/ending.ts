import type { Reservation } from "@vitrine/contracts/inventory";
import type { Queryable } from "@vitrine/kit/postgres";
import { columns, findReservation, type ReservationRow, toReservation, toWire } from "./reservation-rows.ts";

/** A reservation that has just ended, and for how long it was held. */
export interface Ended {
  readonly id: string;
  readonly pieceId: string;
  readonly quantity: number;
  readonly ageSeconds: number;
}

export type CommitOutcome =
  | { readonly kind: "committed"; readonly reservation: Reservation; readonly ended: Ended }
  | { readonly kind: "repeated"; readonly reservation: Reservation }
  | { readonly kind: "unknown" | "over" };

export type ReleaseOutcome =
  { readonly kind: "released"; readonly ended: Ended } | { readonly kind: "nothing" | "committed" };

interface EndedRow extends ReservationRow {
  readonly ended_at: Date;
}

export const dueQuery = `select id from reservations where status = 'held' and expires_at <= now()
  order by expires_at limit 100 for update skip locked`;

/** Sells what is held. */
export async function commit(tx: Queryable, id: string, actor: string): Promise<CommitOutcome> {
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

/** Gives back what is held, or keeps the id from ever being held. */
export async function release(tx: Queryable, id: string, actor: string): Promise<ReleaseOutcome> {
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

/** Gives back up to a hundred reservations whose time has passed. */
export async function expire(tx: Queryable): Promise<readonly Ended[]> {
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

function toEnded({ id, piece_id: pieceId, quantity, created_at: from, ended_at: to }: EndedRow): Ended {
  return { id, pieceId, quantity, ageSeconds: (to.getTime() - from.getTime()) / 1_000 };
}
