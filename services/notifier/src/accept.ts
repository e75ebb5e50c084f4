import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { type Change, judgeChange, judgeReminder, type KnownAlert, tierOf } from "./change.ts";
import { cleanWebhook } from "./clean.ts";
import { dueAt, isToldTo, type Routing } from "./routing.ts";
import { knownAlerts, keyText, markReceived, storeChanges } from "./store/alerts.ts";
import { enqueue, isWaiting } from "./store/deliveries.ts";
import { listRoutings } from "./store/targets.ts";
import type { ToldChange } from "./told-change.ts";

export interface AcceptDeps {
  readonly database: Database;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

export interface AcceptedWebhook {
  readonly changes: readonly ToldChange[];
  readonly messages: number;
}

/**
 * Stores what a webhook tells and puts messages into the outbox, in one transaction: what was answered with 200 is
 * safe, and what Alertmanager sends again changes nothing.
 */
export function acceptWebhook(deps: AcceptDeps, webhook: AlertmanagerWebhook): Promise<AcceptedWebhook> {
  const clean = cleanWebhook(webhook);
  return deps.database.transaction(async (tx) => {
    // One at a time: two webhooks about one alert must agree on which change came first.
    await tx.query("select pg_advisory_xact_lock(hashtext('vitrine notifier'), 0)");
    return accept(tx, deps, clean);
  });
}

async function accept(tx: Queryable, deps: AcceptDeps, webhook: AlertmanagerWebhook): Promise<AcceptedWebhook> {
  const now = deps.now();
  const { news, unchanged } = await sort(tx, deps, webhook);
  const seen = unchanged.map(({ known }) => known.id);
  if (seen.length > 0) await markReceived(tx, seen, now);
  // Alertmanager sends the whole group when one of it changes; only a group without news is a reminder.
  const changes = news.length > 0 ? news : unchanged.flatMap((one) => reminderOf(one, now));
  if (changes.length === 0) return { changes, messages: 0 };
  await storeChanges(tx, changes, webhook.groupKey, now);
  let messages = 0;
  for (const { id, ...routing } of await listRoutings(tx)) {
    const told = changes.filter((change) => isToldTo(routing, change));
    messages += await tell(tx, deps, { targetId: id, groupKey: webhook.groupKey, routing, changes: told, now });
  }
  return { changes, messages };
}

interface Unchanged {
  readonly known: KnownAlert;
  readonly alert: AlertmanagerWebhook["alerts"][number];
}

async function sort(tx: Queryable, deps: AcceptDeps, webhook: AlertmanagerWebhook) {
  const alerts = new Map(
    webhook.alerts.map((alert) => {
      const startedAt = new Date(alert.startsAt).toISOString();
      return [keyText({ fingerprint: alert.fingerprint, startedAt }), { ...alert, startsAt: startedAt }];
    }),
  );
  const keys = [...alerts.values()].map(({ fingerprint, startsAt }) => ({ fingerprint, startedAt: startsAt }));
  const known = await knownAlerts(tx, keys);
  const news: ToldChange[] = [];
  const unchanged: Unchanged[] = [];
  for (const [key, alert] of alerts) {
    const before = known.get(key);
    const change = judgeChange(before, alert, deps.newId);
    if (change !== undefined) news.push(toTold(change, alert));
    else if (before !== undefined) unchanged.push({ known: before, alert });
  }
  return { news, unchanged };
}

function reminderOf({ known, alert }: Unchanged, now: number): ToldChange[] {
  const change = judgeReminder(known, now);
  return change === undefined ? [] : [toTold(change, alert)];
}

function toTold(change: Change, alert: AlertmanagerWebhook["alerts"][number]): ToldChange {
  const { labels, annotations, fingerprint } = alert;
  const startedAt = new Date(alert.startsAt);
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
    startedAt: startedAt.toISOString(),
    endedAt: change.status === "firing" ? null : new Date(alert.endsAt).toISOString(),
  };
}

interface Telling {
  readonly targetId: string;
  readonly groupKey: string;
  readonly routing: Routing;
  readonly changes: readonly ToldChange[];
  readonly now: number;
}

/** One message per tier, since quiet hours hold some tiers back and not others. */
async function tell(tx: Queryable, deps: AcceptDeps, telling: Telling): Promise<number> {
  const { targetId, groupKey, routing, changes, now } = telling;
  let messages = 0;
  for (const [tier, ofTier] of Map.groupBy(changes, (change) => change.tier)) {
    // Who has not heard of the alert yet needs no reminder of it.
    const fresh: ToldChange[] = [];
    for (const change of ofTier)
      if (!change.reminder || !(await isWaiting(tx, targetId, change.alertId))) fresh.push(change);
    if (fresh.length === 0) continue;
    const due = dueAt(routing, tier, now);
    messages += await enqueue(tx, { id: deps.newId(), targetId, groupKey, tier, changes: fresh, dueAt: due, now });
  }
  return messages;
}
