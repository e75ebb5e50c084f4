import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";
import { type Change, type Incoming, judgeChange, judgeReminder, type KnownAlert, tierOf } from "./change.ts";
import { keyText } from "./store/alerts.ts";
import type { ToldChange } from "./told-change.ts";

/** The alerts of a webhook by {@link keyText}, each once; its start in UTC. */
export function toAlerts(webhook: AlertmanagerWebhook): ReadonlyMap<string, Incoming> {
  return new Map(
    webhook.alerts.map((alert) => {
      const startsAt = new Date(alert.startsAt).toISOString();
      return [keyText({ fingerprint: alert.fingerprint, startedAt: startsAt }), { ...alert, startsAt }];
    }),
  );
}

export interface News {
  /** Of each alert one at most. */
  readonly changes: readonly ToldChange[];
  /** Ids of known alerts that are as they were. */
  readonly unchanged: readonly string[];
}

/**
 * What is to be told of these alerts. Alertmanager sends the whole group when one of it changes; only a group without
 * news is a reminder.
 */
export function changesOf(
  alerts: ReadonlyMap<string, Incoming>,
  knownAs: (key: string) => KnownAlert | undefined,
  now: number,
  newId: () => string,
): News {
  const news: ToldChange[] = [];
  const reminders: ToldChange[] = [];
  const unchanged: string[] = [];
  for (const [key, alert] of alerts) {
    const known = knownAs(key);
    const change = judgeChange(known, alert, newId);
    if (change !== undefined) news.push(toTold(change, alert));
    else if (known !== undefined) {
      unchanged.push(known.id);
      const reminder = judgeReminder(known, now);
      if (reminder !== undefined) reminders.push(toTold(reminder, alert));
    }
  }
  return { changes: news.length > 0 ? news : reminders, unchanged };
}

function toTold(change: Change, alert: Incoming): ToldChange {
  const { labels, annotations, fingerprint } = alert;
  return {
    alertId: change.id,
    revision: change.revision,
    status: change.status,
    reminder: change.reminder,
    fingerprint,
    name: labels["alertname"] ?? "alert",
    tier: tierOf(labels),
    labels,
    annotations,
    startedAt: new Date(alert.startsAt).toISOString(),
    endedAt: change.status === "firing" ? null : new Date(alert.endsAt).toISOString(),
  };
}
