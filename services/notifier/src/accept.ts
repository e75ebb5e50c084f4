import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { ServiceError } from "@vitrine/kit/errors";
import { changesOf, toAlerts } from "./news.ts";
import { dueAt, isToldTo, type Routing } from "./routing.ts";
import { knownAlerts, markReceived, storeChanges } from "./store/alerts.ts";
import { enqueue, isWaiting } from "./store/deliveries.ts";
import { type Known, readKnown } from "./store/known.ts";
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
 * safe, and what Alertmanager sends again changes nothing. Once `givenUp` nothing of it is stored any more.
 *
 * @param webhook as `cleanWebhook` leaves it
 */
export function acceptWebhook(
  deps: AcceptDeps,
  webhook: AlertmanagerWebhook,
  givenUp: AbortSignal,
): Promise<AcceptedWebhook & { readonly known: Known }> {
  return deps.database.transaction(async (tx) => {
    await lockAlerts(tx);
    const accepted = await accept(tx, deps, webhook);
    const known = await readKnown(tx);
    if (givenUp.aborted) throw new ServiceError("unavailable", undefined, { reason: "database" });
    return { ...accepted, known };
  });
}

/** One at a time: two webhooks about one alert must agree on which change came first. */
export async function lockAlerts(tx: Queryable): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('vitrine notifier'), 0)");
}

async function accept(tx: Queryable, deps: AcceptDeps, webhook: AlertmanagerWebhook): Promise<AcceptedWebhook> {
  const now = deps.now();
  const alerts = toAlerts(webhook);
  const keys = [...alerts.values()].map(({ fingerprint, startsAt }) => ({ fingerprint, startedAt: startsAt }));
  const known = await knownAlerts(tx, keys);
  const { changes, unchanged } = changesOf(alerts, (key) => known.get(key), now, deps.newId);
  if (unchanged.length > 0) await markReceived(tx, unchanged, now);
  if (changes.length === 0) return { changes, messages: 0 };
  await storeChanges(tx, changes, webhook.groupKey, now);
  let messages = 0;
  for (const { id, ...routing } of await listRoutings(tx)) {
    const told = changes.filter((change) => isToldTo(routing, change));
    messages += await tell(tx, deps, { targetId: id, groupKey: webhook.groupKey, routing, changes: told, now });
  }
  return { changes, messages };
}

export interface Telling {
  readonly targetId: string;
  readonly groupKey: string;
  readonly routing: Routing;
  readonly changes: readonly ToldChange[];
  readonly now: number;
}

/** One message per tier, since quiet hours hold some tiers back and not others. */
export async function tell(tx: Queryable, deps: Pick<AcceptDeps, "newId">, telling: Telling): Promise<number> {
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
