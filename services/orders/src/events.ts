import { trace } from "@opentelemetry/api";
import type { Piece } from "@vitrine/contracts/orders";
import { attributes, metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter } from "@vitrine/kit/telemetry";
import type { SettledOrder, StoredOrder } from "./store/orders.ts";

export interface Events {
  /** Once per order, by whoever took it out of `placed`. */
  settled(order: SettledOrder): void;
  released(order: StoredOrder): void;
  catalogueChanged(piece: Piece): void;
}

/** Maisons beyond this many share one label: the catalogue is open to writers, the metric must stay bounded. */
const maxMaisons = 100;

/** The business events of orders, each said once as a metric and a log line. */
export function createEvents(logger: Logger): Events {
  const placed = counter(metrics.ordersPlaced);
  const maisons = new Set<string>();
  const bounded = (maison: string) => {
    if (maisons.size < maxMaisons) maisons.add(maison);
    return maisons.has(maison) ? maison : "other";
  };
  return {
    settled: (order) => {
      const { id, pieceId, quantity, reason } = order;
      placed.add(1, {
        "order.status": reason === null ? "reserved" : "failed",
        ...(reason === null ? {} : { "order.failure_reason": reason }),
        "piece.kind": order.kind,
        "piece.maison": bounded(order.maison),
      });
      trace.getActiveSpan()?.setAttributes({ [attributes.orderId]: id, [attributes.pieceId]: pieceId });
      const extra = { order_id: id, piece_id: pieceId, quantity };
      if (reason === null) logger.info({ action: "order.placed", extra }, "order placed");
      else if (reason === "out_of_stock")
        logger.info({ action: "order.failed", extra: { ...extra, reason } }, "order failed: out of stock");
      else logger.warn({ action: "order.failed", extra: { ...extra, reason } }, `order failed: ${reason}`);
    },
    released: ({ id, pieceId }) => {
      logger.info({ action: "order.released", extra: { order_id: id, piece_id: pieceId } }, "reservation given back");
    },
    catalogueChanged: ({ id }) => {
      trace.getActiveSpan()?.setAttribute(attributes.pieceId, id);
      logger.info({ action: "catalogue.changed", extra: { piece_id: id } }, "catalogue changed");
    },
  };
}
