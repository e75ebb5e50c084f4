import type { Channel } from "@vitrine/contracts/alerts";
import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter, histogram } from "@vitrine/kit/telemetry";
import type { AttemptRecord, DueDelivery } from "./store/deliveries.ts";
import type { ToldChange } from "./told-change.ts";

export interface Attempted {
  readonly delivery: DueDelivery;
  readonly target: { readonly id: string; readonly name: string; readonly channel: Channel };
  readonly record: AttemptRecord;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Made without the outbox, while the database was away. */
  readonly isDirect?: boolean;
}

export interface Events {
  received(changes: readonly ToldChange[], messages: number): void;
  attempted(attempt: Attempted): void;
  targetGone(target: { readonly id: string; readonly name: string }): void;
  replayed(messages: number, actor: string): void;
  discarded(actor: string): void;
  targetChanged(
    change: "created" | "changed" | "removed" | "rotated" | "tested",
    targetId: string,
    actor: string,
  ): void;
}

/** What the notifier does, each said once as a metric and a log line; never a target's settings. */
export function createEvents(logger: Logger): Events {
  const alerts = counter(metrics.notifierAlerts);
  const attempts = counter(metrics.notifierAttempts);
  const delay = histogram(metrics.notifierDeliveryDelay);
  return {
    received: (changes, messages) => {
      const news = changes.filter(({ reminder }) => !reminder);
      for (const { status, tier } of news) alerts.add(1, { status, tier });
      const names = [...new Set(changes.map(({ name }) => name))].slice(0, 10);
      logger.info(
        { action: "alert.received", extra: { alerts: names, changes: changes.length, messages } },
        "alerts have changed",
      );
    },
    attempted: ({ delivery, target, record, now, isDirect = false }) => {
      const { channel } = target;
      const outcome = record.state === "waiting" ? "retried" : record.state;
      const reason = record.failure === null ? {} : { reason: record.failure };
      attempts.add(1, { channel, target: target.name, outcome, ...reason });
      const extra = {
        delivery_id: delivery.id,
        target: target.name,
        channel,
        attempts: delivery.attempts + 1,
        failure: record.failure,
        status: record.status,
        direct: isDirect,
      };
      switch (record.state) {
        case "delivered":
          delay.record((now - delivery.dueAt.getTime()) / 1_000, { channel, tier: delivery.tier });
          logger.info({ action: "alert.delivered", extra }, "a message was delivered");
          return;
        case "dead":
          logger.error({ action: "alert.given_up", extra }, "a message was given up");
          return;
        case "waiting":
          logger.warn({ action: "alert.delivery_failed", extra }, "a message was not delivered");
      }
    },
    targetGone: ({ id, name }) => {
      const extra = { target_id: id, target: name };
      logger.error({ action: "target.gone", extra }, "a webhook wants no more and is disabled");
    },
    replayed: (messages, user) => {
      logger.info({ action: "alert.replayed", user, extra: { messages } }, "dead letters are sent again");
    },
    discarded: (user) => {
      logger.info({ action: "alert.discarded", user }, "a dead letter was discarded");
    },
    targetChanged: (change, targetId, user) => {
      logger.info({ action: "target.changed", user, extra: { change, target_id: targetId } }, `a target was ${change}`);
    },
  };
}
