import { z } from "zod";
import { maison, pieceId, pieceKind } from "./piece.ts";

const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });

/** Available, reserved and sold together are what was ever brought in. `maison` and `kind` are null until somebody tells. */
export const stockLevel = z.object({
  pieceId,
  maison: maison.nullable(),
  kind: pieceKind.nullable(),
  available: z.int().nonnegative(),
  reserved: z.int().nonnegative(),
  sold: z.int().nonnegative(),
});

export type StockLevel = z.infer<typeof stockLevel>;

export const stockPage = page(stockLevel);

/** From this many available pieces down a piece counts as running low. */
export const lowStock = 3;

/**
 * Adds to what is there, or makes a piece known. `maison` and `kind` describe the piece for lists and metrics; told
 * again they replace what was told before. `return` is a piece a customer sold back.
 */
export const restock = z.strictObject({
  quantity: z.int().min(1).max(10_000),
  reason: z.enum(["delivery", "return"]).default("delivery"),
  maison: maison.optional(),
  kind: pieceKind.optional(),
});

export type Restock = z.input<typeof restock>;

/** `id` is chosen by the caller, so that a retried reservation takes stock once. It is held for `expiresInSeconds`. */
export const reservationRequest = z.strictObject({
  id: z.uuid(),
  pieceId,
  quantity: z.int().min(1).max(100),
  expiresInSeconds: z.int().min(1).max(86_400).default(900),
});

export type ReservationRequest = z.input<typeof reservationRequest>;

/** `held` ends as `committed` (sold), `released` by the caller, or `expired`; none of these ever changes again. */
export const reservationStatuses = ["held", "committed", "released", "expired"] as const;

export const reservation = z.object({
  id: z.uuid(),
  pieceId,
  quantity: z.int().positive(),
  status: z.enum(reservationStatuses),
  createdAt: z.iso.datetime(),
  /** From then on the pieces go back on the shelf within seconds, unless the reservation has ended before. */
  expiresAt: z.iso.datetime(),
});

export type Reservation = z.infer<typeof reservation>;

export const reservationPage = page(reservation);

export const movementKinds = ["restock", "return", "reserve", "release", "expire", "commit"] as const;

/** One change of a piece's stock; the deltas of all of them add up to its stock level. */
export const movement = z.object({
  id: z.string(),
  kind: z.enum(movementKinds),
  availableDelta: z.int(),
  reservedDelta: z.int(),
  soldDelta: z.int(),
  reservationId: z.uuid().nullable(),
  /** Client or person who asked for it; `inventory` where time did. */
  actor: z.string(),
  createdAt: z.iso.datetime(),
});

export type Movement = z.infer<typeof movement>;

export const movementPage = page(movement);
