import type { Reservation, reservationRequest } from "@vitrine/contracts/inventory";
import type { z } from "zod";

/** A reservation as it is asked for, defaults filled in. */
export type Held = z.output<typeof reservationRequest>;

/** A reservation as it is stored; without a piece when it was released before it was asked for. */
export type StoredReservation =
  | { readonly pieceId: null; readonly status?: undefined; readonly createdAt: Date }
  | {
      readonly pieceId: string;
      readonly quantity: number;
      readonly status: Reservation["status"];
      readonly createdAt: Date;
      readonly expiresAt: Date;
    };

export type RetryOutcome =
  { readonly kind: "known"; readonly reservation: Reservation } | { readonly kind: "conflict" };

/** What a request gets whose id is taken: the reservation as it stands, or a conflict when it asks for another thing. */
export function judgeRetry(stored: StoredReservation, { id, pieceId, quantity }: Held): RetryOutcome {
  const createdAt = stored.createdAt.toISOString();
  if (stored.pieceId === null) {
    const reservation = { id, pieceId, quantity, status: "released", createdAt, expiresAt: createdAt } as const;
    return { kind: "known", reservation };
  }
  if (stored.pieceId !== pieceId || stored.quantity !== quantity) return { kind: "conflict" };
  const { status, expiresAt } = stored;
  return {
    kind: "known",
    reservation: { id, pieceId, quantity, status, createdAt, expiresAt: expiresAt.toISOString() },
  };
}
