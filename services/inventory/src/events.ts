import { trace } from "@opentelemetry/api";
import { attributes, metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter, histogram } from "@vitrine/kit/telemetry";
import type { Held } from "./reservation-retry.ts";
import type { Ended } from "./store/ending.ts";
import type { Delivery } from "./store/stock.ts";

export interface Events {
  reserved(reservation: Held): void;
  refused(reservation: Held): void;
  committed(ended: Ended): void;
  released(ended: Ended): void;
  expired(ended: Ended): void;
  restocked(delivery: Delivery): void;
}

/** The business events of inventory, each said once as a metric and a log line. A reservation's id is its order's. */
export function createEvents(logger: Logger): Events {
  const reservations = counter(metrics.inventoryReservations);
  const age = histogram(metrics.inventoryReservationAge);

  function end(outcome: "committed" | "released" | "expired", ended: Ended, message: string): void {
    reservations.add(1, { outcome });
    age.record(ended.ageSeconds, { outcome });
    const extra = { ...describe(ended), held_seconds: Math.round(ended.ageSeconds * 1_000) / 1_000 };
    logger.info({ action: `stock.${outcome}`, extra }, message);
  }

  return {
    reserved: (reservation) => {
      reservations.add(1, { outcome: "held" });
      logger.info({ action: "stock.reserved", extra: describe(reservation) }, "stock reserved");
    },
    refused: (reservation) => {
      reservations.add(1, { outcome: "out_of_stock" });
      logger.info({ action: "stock.refused", extra: describe(reservation) }, "too few pieces for a reservation");
    },
    committed: (ended) => end("committed", ended, "reserved stock sold"),
    released: (ended) => end("released", ended, "reserved stock released"),
    expired: (ended) => end("expired", ended, "a reservation expired"),
    restocked: ({ pieceId, quantity, reason = "delivery" }) => {
      trace.getActiveSpan()?.setAttribute(attributes.pieceId, pieceId);
      logger.info({ action: "stock.restocked", extra: { piece_id: pieceId, quantity, reason } }, "stock added");
    },
  };
}

function describe({ id, pieceId, quantity }: Pick<Held, "id" | "pieceId" | "quantity">) {
  trace.getActiveSpan()?.setAttributes({ [attributes.orderId]: id, [attributes.pieceId]: pieceId });
  return { order_id: id, piece_id: pieceId, quantity };
}
