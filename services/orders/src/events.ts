import { trace } from "@opentelemetry/api";
import { toWholeUnits } from "@vitrine/contracts/money";
import type { Piece } from "@vitrine/contracts/orders";
import { attributes, metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter, histogram } from "@vitrine/kit/telemetry";
import { isEnd, isNoAnswer, type OrderReason } from "./order-state.ts";
import type { StoredOrder } from "./store/orders.ts";
import type { MoneyMove } from "./store/wallets.ts";

type Refused = typeof metrics.ordersRefused.attributes;

export interface Refusal {
  readonly step: Refused["step"][number];
  readonly reason: Refused["reason"][number];
  readonly orderId?: string;
  readonly pieceId?: string;
}

export interface Events {
  /** Once for every state an order comes into, by whoever brought it there. */
  step(order: StoredOrder): void;
  refused(refusal: Refusal): void;
  released(order: StoredOrder): void;
  moved(move: MoneyMove, outcome: "done" | "insufficient_funds"): void;
  catalogueChanged(piece: Piece): void;
}

type Movement = (typeof metrics.walletVolume.attributes.movement)[number];

/** The money that moves when an order comes into a state. */
function movementOf({ kind, status, reason }: StoredOrder): Movement | undefined {
  if (kind === "sell") return status === "paid" ? "payout" : undefined;
  if (status === "paid") return "hold";
  if (status === "fulfilled") return "capture";
  return reason === "reservation_lost" ? "release" : undefined;
}

/** Maisons beyond this many share one label: the catalogue is open to writers, the metric must stay bounded. */
const maxMaisons = 100;

function createBound(): (maison: string) => string {
  const maisons = new Set<string>();
  return (maison) => {
    if (maisons.size < maxMaisons) maisons.add(maison);
    return maisons.has(maison) ? maison : "other";
  };
}

const ordinary: ReadonlySet<OrderReason | null> = new Set([null, "out_of_stock", "not_owned", "customer", "not_paid"]);

/** The business events of orders, each said once as a metric and a log line. */
export function createEvents(logger: Logger): Events {
  const refusals = counter(metrics.ordersRefused);
  const count = createStepCounters();
  const money = createMoneyCounters();
  return {
    step: (order) => {
      count(order);
      const movement = movementOf(order);
      const total = { amount: order.unitAmount * order.quantity, currency: order.currency };
      if (movement !== undefined && total.amount > 0) money(movement, total, "done");
      trace.getActiveSpan()?.setAttributes({ [attributes.orderId]: order.id, [attributes.pieceId]: order.pieceId });
      const { id, kind, pieceId, quantity, status, reason } = order;
      const extra = { order_id: id, kind, piece_id: pieceId, quantity, ...(reason === null ? {} : { reason }) };
      const message = `order ${status}${reason === null ? "" : `: ${reason}`}`;
      if (ordinary.has(reason)) logger.info({ action: `order.${status}`, extra }, message);
      else logger.warn({ action: `order.${status}`, extra }, message);
    },
    refused: ({ step, reason, orderId, pieceId }) => {
      refusals.add(1, { step, reason });
      const ids = {
        ...(orderId === undefined ? {} : { order_id: orderId }),
        ...(pieceId === undefined ? {} : { piece_id: pieceId }),
      };
      logger.info({ action: "order.refused", extra: { step, reason, ...ids } }, `order refused: ${reason}`);
    },
    released: ({ id, pieceId }) => {
      logger.info({ action: "order.released", extra: { order_id: id, piece_id: pieceId } }, "reservation given back");
    },
    moved: ({ movement, amount, currency }, outcome) => {
      money(movement, { amount, currency }, outcome);
      const extra = { movement, currency };
      if (outcome === "done") logger.info({ action: "wallet.moved", extra }, `${movement} done`);
      else logger.info({ action: "wallet.refused", extra: { ...extra, reason: outcome } }, `${movement} refused`);
    },
    catalogueChanged: ({ id }) => {
      trace.getActiveSpan()?.setAttribute(attributes.pieceId, id);
      logger.info({ action: "catalogue.changed", extra: { piece_id: id } }, "catalogue changed");
    },
  };
}

function createStepCounters(): (order: StoredOrder) => void {
  const steps = counter(metrics.ordersSteps);
  const placed = counter(metrics.ordersPlaced);
  const value = counter(metrics.ordersValue);
  const pieces = counter(metrics.ordersPieces);
  const duration = histogram(metrics.ordersDuration);
  const bounded = createBound();
  return (order) => {
    const { status, reason, quantity, currency } = order;
    const kind = { "order.kind": order.kind };
    const of = { ...kind, "piece.kind": order.pieceKind, "piece.maison": bounded(order.maison) };
    steps.add(1, { ...of, "order.status": status, ...(reason === null ? {} : { "order.reason": reason }) });
    if (status === "reserved") placed.add(1, { ...of, "order.status": status });
    if (status === "failed" && (reason === "out_of_stock" || reason === "not_owned" || isNoAnswer(reason)))
      placed.add(1, { ...of, "order.status": status, "order.failure_reason": reason });
    if (status === "fulfilled") {
      value.add(toWholeUnits({ amount: order.unitAmount * quantity, currency }), { ...of, currency });
      pieces.add(quantity, of);
    }
    if (isEnd(status))
      duration.record((order.changedAt.getTime() - order.createdAt.getTime()) / 1_000, {
        ...kind,
        "order.status": status,
      });
  };
}

function createMoneyCounters() {
  const movements = counter(metrics.walletMovements);
  const volume = counter(metrics.walletVolume);
  return (
    movement: Movement,
    total: { readonly amount: number; readonly currency: string },
    outcome: "done" | "insufficient_funds",
  ): void => {
    movements.add(1, { movement, outcome, currency: total.currency });
    if (outcome === "done") volume.add(toWholeUnits(total), { movement, currency: total.currency });
  };
}
