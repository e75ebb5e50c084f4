import { z } from "zod";
import { currency, money, price } from "./money.ts";
import { displayText, maison, pieceId, pieceKind } from "./piece.ts";

export const piece = z.object({
  id: pieceId,
  maison,
  name: displayText.min(1).max(120),
  kind: pieceKind,
  price: money,
  /** How many of it were ever made; null where there is no such limit. */
  edition: z.int().min(1).max(100_000).nullable(),
});

export type Piece = z.infer<typeof piece>;

/** Body of `PUT /api/catalog/{id}`: the piece without its id, which is in the path. */
export const pieceInput = z.strictObject({
  ...piece.omit({ id: true, price: true, edition: true }).shape,
  price,
  edition: piece.shape.edition.default(null),
});

export const cataloguePage = z.object({
  items: z.array(piece),
  next: z.string().nullable(),
});

export const orderKinds = ["buy", "sell"] as const;

/** An order is `placed`, `reserved`, `paid` and `fulfilled` in turn, unless it ends before. */
export const orderStatuses = ["placed", "reserved", "paid", "fulfilled", "failed", "cancelled", "expired"] as const;

/** Why an order ended without being fulfilled. */
export const orderReasons = [
  "out_of_stock",
  /** There are fewer such pieces in the customer's collection than were to be sold. */
  "not_owned",
  "inventory_unavailable",
  /** The service stopped while the order was being placed. */
  "interrupted",
  /** The pieces were no longer held when the order had been paid; the money was given back. */
  "reservation_lost",
  "customer",
  "not_paid",
] as const;

export const orderRequest = z.strictObject({
  /** `sell` gives pieces of the collection back to the shop at their present price. */
  kind: z.enum(orderKinds).default("buy"),
  pieceId,
  quantity: z.int().min(1).max(100),
  /** The price of one piece the customer has seen: an order at another price is refused with 409 `price_changed`. */
  expectedPrice: z.strictObject({ amount: z.int().nonnegative(), currency }).optional(),
});

export type OrderRequest = z.output<typeof orderRequest>;

export const order = z.object({
  id: z.uuid(),
  kind: z.enum(orderKinds),
  customer: z.string(),
  pieceId,
  maison,
  pieceKind,
  quantity: z.int().positive(),
  unitPrice: money,
  total: money,
  status: z.enum(orderStatuses),
  reason: z.enum(orderReasons).nullable(),
  createdAt: z.iso.datetime(),
  /** When it came into its present state. */
  changedAt: z.iso.datetime(),
  /** Until when a reserved order can be paid. */
  expiresAt: z.iso.datetime().nullable(),
});

export type Order = z.infer<typeof order>;

export const orderPage = z.object({
  items: z.array(order),
  next: z.string().nullable(),
});

/** One step of an order; `requestId` finds what was logged and traced of it. */
export const orderEvent = z.object({
  status: z.enum(orderStatuses),
  reason: z.enum(orderReasons).nullable(),
  requestId: z.string(),
  at: z.iso.datetime(),
});

export type OrderEvent = z.infer<typeof orderEvent>;

export const orderEventList = z.object({ items: z.array(orderEvent) });
