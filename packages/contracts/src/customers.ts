import { z } from "zod";
import { currency, money } from "./money.ts";
import { displayText, maison, pieceId, pieceKind } from "./piece.ts";

const time = z.iso.datetime();

/** Who owns a wallet and a collection: the subject of a token. */
export const customerId = displayText.min(1).max(128);

export const customer = z.object({ id: customerId, since: time, lastActiveAt: time });

export type Customer = z.infer<typeof customer>;

export const customerPage = z.object({ items: z.array(customer), next: z.string().nullable() });

/** Money of one currency in minor units; `held` is set aside for orders that are paid and not yet fulfilled. */
export const balance = z.object({
  currency: z.string().regex(/^[A-Z]{3}$/),
  available: z.int().nonnegative(),
  held: z.int().nonnegative(),
});

export type Balance = z.infer<typeof balance>;

export const wallet = z.object({ customer: customerId, balances: z.array(balance) });

/** Body of a deposit or a withdrawal, in minor units. */
export const movementRequest = z.strictObject({ amount: z.int().min(1).max(1_000_000_000_000), currency });

export type MovementRequest = z.infer<typeof movementRequest>;

export const movementKinds = ["deposit", "withdrawal", "hold", "release", "payout"] as const;

/** One line of a statement: what came (above zero) or went, and what was available after it. */
export const statementLine = z.object({
  id: z.string(),
  movement: z.enum(movementKinds),
  amount: z.int(),
  currency: z.string(),
  available: z.int().nonnegative(),
  /** The order it belongs to, if any. */
  orderId: z.uuid().nullable(),
  at: time,
});

export type StatementLine = z.infer<typeof statementLine>;

export const statementPage = z.object({ items: z.array(statementLine), next: z.string().nullable() });

/** Money set aside for an order. */
export const hold = z.object({ orderId: z.uuid(), amount: money, since: time });

export type Hold = z.infer<typeof hold>;

export const holdList = z.object({ items: z.array(hold) });

/** Pieces of one kind, bought in one currency: what they cost, and what the shop pays for them now. */
export const collectionItem = z.object({
  pieceId,
  name: z.string(),
  maison,
  kind: pieceKind,
  quantity: z.int().positive(),
  cost: money,
  value: money,
});

export type CollectionItem = z.infer<typeof collectionItem>;

export const collectionPage = z.object({ items: z.array(collectionItem), next: z.string().nullable() });

/** Sums of a collection: cost and value are in different currencies where a price changed its currency. */
export const collectionSummary = z.object({
  customer: customerId,
  pieces: z.int().nonnegative(),
  cost: z.array(money),
  value: z.array(money),
});

export type CollectionSummary = z.infer<typeof collectionSummary>;

export const customerOverview = customer.extend({
  balances: z.array(balance),
  collection: collectionSummary.omit({ customer: true }),
  openOrders: z.int().nonnegative(),
});
