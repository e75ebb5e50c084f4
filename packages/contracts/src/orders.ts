import { z } from "zod";
import { displayText, maison, pieceId, pieceKind } from "./piece.ts";

/** An amount in minor units of an ISO 4217 currency: 1250000 EUR is twelve thousand five hundred euros. */
export const money = z.object({
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

export type Money = z.infer<typeof money>;

export const piece = z.object({
  id: pieceId,
  maison,
  name: displayText.min(1).max(120),
  kind: pieceKind,
  /** At most what a hundred of stay an exact number (2^53 - 1). */
  price: money.extend({ amount: z.int().nonnegative().max(90_071_992_547_409) }),
});

export type Piece = z.infer<typeof piece>;

/** Body of `PUT /api/catalog/{id}`: the piece without its id, which is in the path. */
export const pieceInput = piece.omit({ id: true }).strict();

export const cataloguePage = z.object({
  items: z.array(piece),
  next: z.string().nullable(),
});

export const orderStatuses = ["placed", "reserved", "failed", "cancelled"] as const;

/** Why an order is `failed`; `interrupted`: the service stopped while it was being placed. */
export const orderFailureReasons = ["out_of_stock", "inventory_unavailable", "interrupted"] as const;

export const orderRequest = z.strictObject({
  pieceId,
  quantity: z.int().min(1).max(100),
});

export type OrderRequest = z.infer<typeof orderRequest>;

export const order = z.object({
  id: z.uuid(),
  pieceId,
  quantity: z.int().positive(),
  total: money,
  status: z.enum(orderStatuses),
  /** Why an order is `failed` or `cancelled`. */
  reason: z.string().nullable(),
  createdAt: z.iso.datetime(),
});

export type Order = z.infer<typeof order>;

export const orderPage = z.object({
  items: z.array(order),
  next: z.string().nullable(),
});
