import type { Queryable } from "@vitrine/kit/postgres";
import { lockAlerts, tell } from "../accept.ts";
import type { KnownAlert } from "../change.ts";
import { isToldTo } from "../routing.ts";
import { knownAlerts, storeChanges } from "../store/alerts.ts";
import { storeDirect } from "../store/direct.ts";
import { listTargets } from "../store/targets.ts";
import type { ToldChange } from "../told-change.ts";
import type { HeardChange, Journal } from "./journal.ts";

export interface SettleDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * Stores what was heard while the database was away: the changes, the messages that were sent or tried, and messages to
 * whoever could not be told. What another process has stored meanwhile is left as it is.
 */
export async function settle(tx: Queryable, { now, newId }: SettleDeps, journal: Journal): Promise<void> {
  await lockAlerts(tx);
  const { stored, ids } = await storeHeard(tx, journal.changes());
  const targets = await listTargets(tx);
  const byName = new Map(targets.map((target) => [target.name, target]));
  for (const { target: name, delivery, record } of journal.messages()) {
    const target = byName.get(name);
    if (target === undefined) continue;
    const alertIds = delivery.changes.map(({ alertId }) => ids.get(alertId) ?? alertId);
    await storeDirect(tx, { delivery: { ...delivery, targetId: target.id }, record }, alertIds);
  }
  for (const target of targets) {
    if (!target.enabled) continue;
    const untold = stored.filter(({ messaged, change }) => !messaged.has(target.name) && isToldTo(target, change));
    for (const [groupKey, heard] of Map.groupBy(untold, (one) => one.groupKey)) {
      const changes = heard.map(({ change }) => change);
      await tell(tx, { newId }, { targetId: target.id, groupKey, routing: target, changes, now: now() });
    }
  }
}

interface Stored {
  /** As they stand in the database now; without those that stood there already. */
  readonly stored: readonly HeardChange[];
  /** Of alerts by the ids that messages named them by, where those are others. */
  readonly ids: ReadonlyMap<string, string>;
}

async function storeHeard(tx: Queryable, heard: readonly HeardChange[]): Promise<Stored> {
  const keys = heard.map(({ change: { fingerprint, startedAt } }) => ({ fingerprint, startedAt }));
  const known = new Map<string, KnownAlert>(await knownAlerts(tx, keys));
  const stored: HeardChange[] = [];
  const ids = new Map<string, string>();
  for (const one of heard) {
    const before = known.get(one.key);
    if (before !== undefined) ids.set(one.change.alertId, before.id);
    if (before !== undefined && !isNews(one, before)) continue;
    const change = continued(one.change, before);
    await storeChanges(tx, [change], one.groupKey, one.at);
    const { alertId: id, status, revision } = change;
    known.set(one.key, { id, status, revision, toldAt: one.at });
    stored.push({ ...one, change });
  }
  return { stored, ids };
}

/** Another process may have heard the same, or what came after. */
function isNews({ change, at }: HeardChange, { status, toldAt }: KnownAlert): boolean {
  return toldAt <= at && change.reminder === (status === change.status);
}

function continued(change: ToldChange, before: KnownAlert | undefined): ToldChange {
  if (before === undefined) return change;
  return { ...change, alertId: before.id, revision: change.reminder ? before.revision : before.revision + 1 };
}
