import { trace } from "@opentelemetry/api";
import type { ReservationRequest } from "@vitrine/contracts/inventory";
import { attributes, metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter } from "@vitrine/kit/telemetry";
import type { PieceQuantity } from "./store.ts";

export interface Events {
  reserved(reservation: ReservationRequest): void;
  refused(reservation: ReservationRequest): void;
  released(reservation: ReservationRequest): void;
  restocked(restock: PieceQuantity): void;
}

/** The business events of inventory, each said once as a metric and a log line. A reservation's id is its order's. */
export function createEvents(logger: Logger): Events {
  const reservations = counter(metrics.inventoryReservations);
  return {
    reserved: (reservation) => {
      reservations.add(1, { outcome: "held" });
      logger.info({ action: "stock.reserved", extra: describe(reservation) }, "stock reserved");
    },
    refused: (reservation) => {
      reservations.add(1, { outcome: "out_of_stock" });
      logger.info({ action: "stock.refused", extra: describe(reservation) }, "too few pieces for a reservation");
    },
    released: (reservation) => {
      reservations.add(1, { outcome: "released" });
      logger.info({ action: "stock.released", extra: describe(reservation) }, "reserved stock released");
    },
    restocked: ({ pieceId, quantity }) => {
      trace.getActiveSpan()?.setAttribute(attributes.pieceId, pieceId);
      logger.info({ action: "stock.restocked", extra: { piece_id: pieceId, quantity } }, "stock added");
    },
  };
}

function describe({ id, pieceId, quantity }: ReservationRequest) {
  trace.getActiveSpan()?.setAttributes({ [attributes.orderId]: id, [attributes.pieceId]: pieceId });
  return { order_id: id, piece_id: pieceId, quantity };
}
