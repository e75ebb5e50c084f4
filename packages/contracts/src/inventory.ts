import { z } from "zod";

export const pieceId = z.string().regex(/^[a-z0-9][a-z0-9-]{2,63}$/, "lower-case letters, digits and dashes, 3 to 64");

export const stockLevel = z.object({
  pieceId,
  available: z.int().nonnegative(),
  reserved: z.int().nonnegative(),
});

export type StockLevel = z.infer<typeof stockLevel>;

export const stockPage = z.object({
  items: z.array(stockLevel),
  next: z.string().nullable(),
});

/** Sets what is on hand for a piece nobody has stocked yet, or adds to what is there. */
export const restock = z.strictObject({ quantity: z.int().min(1).max(10_000) });

/** `id` is chosen by the caller, so that a retried reservation takes stock once. */
export const reservationRequest = z.strictObject({
  id: z.uuid(),
  pieceId,
  quantity: z.int().min(1).max(100),
});

export type ReservationRequest = z.infer<typeof reservationRequest>;

export const reservation = z.object({
  id: z.uuid(),
  pieceId,
  quantity: z.int().positive(),
  status: z.enum(["held", "released"]),
  createdAt: z.iso.datetime(),
});

export type Reservation = z.infer<typeof reservation>;
