import type { Reservation, ReservationRequest } from "@vitrine/contracts/inventory";

/** A reservation as it is stored; piece and quantity are `null` when it was released before it was asked for. */
export interface StoredReservation {
  readonly pieceId: string | null;
  readonly quantity: number | null;
  readonly status: Reservation["status"];
  readonly createdAt: Date;
}

export type RetryOutcome =
  { readonly kind: "known"; readonly reservation: Reservation } | { readonly kind: "conflict" };

/** What a request gets whose id is taken: the reservation as it stands, or a conflict when it asks for another thing. */
export function judgeRetry(stored: StoredReservation, request: ReservationRequest): RetryOutcome {
  const { pieceId, quantity, status } = stored;
  const other = pieceId !== null && (pieceId !== request.pieceId || quantity !== request.quantity);
  if (other) return { kind: "conflict" };
  return { kind: "known", reservation: { ...request, status, createdAt: stored.createdAt.toISOString() } };
}
