import type { Reservation } from "@vitrine/contracts/inventory";
import type { Queryable } from "@vitrine/kit/postgres";
import type { StoredReservation } from "../reservation-retry.ts";

export interface ReservationRow {
  readonly id: string;
  readonly piece_id: string;
  readonly quantity: number;
  readonly status: Reservation["status"];
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly [column: string]: unknown;
}

export const columns = "id, piece_id, quantity, status, created_at, expires_at";

export async function findReservation(on: Queryable, id: string): Promise<StoredReservation | undefined> {
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

export function toWire({ pieceId, quantity, status, createdAt, expiresAt }: Known): Omit<Reservation, "id"> {
  return { pieceId, quantity, status, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

export function toReservation(row: ReservationRow): Reservation {
  return {
    id: row.id,
    pieceId: row.piece_id,
    quantity: row.quantity,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}
