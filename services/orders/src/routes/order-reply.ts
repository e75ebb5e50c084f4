import type { Order } from "@vitrine/contracts/orders";
import type { StoredOrder } from "../store/orders.ts";

export function toOrderReply(order: StoredOrder): Order {
  const { id, kind, customer, pieceId, maison, pieceKind, quantity, unitAmount, currency, status, reason } = order;
  return {
    id,
    kind,
    customer,
    pieceId,
    maison,
    pieceKind,
    quantity,
    unitPrice: { amount: unitAmount, currency },
    total: { amount: unitAmount * quantity, currency },
    status,
    reason,
    createdAt: order.createdAt.toISOString(),
    changedAt: order.changedAt.toISOString(),
    expiresAt: order.expiresAt?.toISOString() ?? null,
  };
}

export function toOrderPath(order: StoredOrder): string {
  return `/api/orders/${order.id}`;
}
