import { z } from "zod";
import { pieceId } from "./inventory.ts";

/** An amount in minor units of an ISO 4217 currency: 1250000 EUR is twelve thousand five hundred euros. */
export const money = z.object({
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

export type Money = z.infer<typeof money>;

export const pieceKinds = ["watch", "jewellery", "leather", "couture"] as const;

export const piece = z.object({
  id: pieceId,
  maison: z.string().min(1).max(80),
  name: z.string().min(1).max(120),
  kind: z.enum(pieceKinds),
  price: money,
});

export type Piece = z.infer<typeof piece>;

/** Body of `PUT /api/catalog/{id}`: the piece without its id, which is in the path. */
export const pieceInput = piece.omit({ id: true }).strict();

export const cataloguePage = z.object({
  items: z.array(piece),
  next: z.string().nullable(),
});

export const orderStatuses = ["placed", "reserved", "failed", "cancelled"] as const;

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
