import type { Queryable } from "@vitrine/kit/postgres";
import { lockAlerts, tell } from "../accept.ts";
import type { KnownAlert } from "../change.ts";
import { isToldTo } from "../routing.ts";
import { knownAlerts, storeChanges } from "../store/alerts.ts";
import { storeDirect } from "../store/direct.ts";
import { listTargets } from "../store/targets.ts";
import type { ToldChange } from "../told-change.ts";
import type { HeardChange, Settleable } from "./journal.ts";

export interface SettleDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * Stores what was heard while the database was away: the changes, the messages that were sent or tried, and messages to
 * whoever could not be told. What another process has stored meanwhile is left as it is. Of an alert that is over nobody
 * hears who did not hear of it before.
 */
export async function settle(tx: Queryable, { now, newId }: SettleDeps, part: Settleable): Promise<void> {
  await lockAlerts(tx);
  const { stored, ids } = await storeHeard(tx, withEnds(part));
  const targets = await listTargets(tx);
  const byName = new Map(targets.map((target) => [target.name, target]));
  for (const { target: name, delivery, record } of part.messages) {
    const target = byName.get(name);
    if (target === undefined) continue;
    const alertIds = delivery.changes.map(({ alertId }) => ids.get(alertId) ?? alertId);
    await storeDirect(tx, { delivery: { ...delivery, targetId: target.id }, record }, alertIds);
  }
  for (const target of targets) {
    if (!target.enabled) continue;
    const untold = stored.filter(
      ({ key, change, messaged, told }) =>
        isToldTo(target, change) && !messaged.has(target.name) && (!part.over.has(key) || told.has(target.name)),
    );
    for (const [groupKey, heard] of Map.groupBy(untold, (one) => one.groupKey)) {
      const changes = heard.map(({ change }) => change);
      await tell(tx, { newId }, { targetId: target.id, groupKey, routing: target, changes, now: now() });
    }
  }
}

/** The changes, and ends of what is over; without what is over and nobody has heard of. */
function withEnds({ changes, over }: Settleable): readonly HeardChange[] {
  const byKey = Map.groupBy(changes, ({ key }) => key);
  return [...byKey].flatMap(([key, heard]) => {
    const endedAt = over.get(key);
    const last = heard.at(-1);
    if (endedAt === undefined || last === undefined) return heard;
    const knowing = new Set(heard.flatMap(({ messaged }) => [...messaged]));
    if (knowing.size === 0) return [];
    return heard.concat(endOf(last, endedAt, knowing));
  });
}

/** In `told` stands who knows that it began. */
function endOf(last: HeardChange, endedAt: number, knowing: ReadonlySet<string>): HeardChange {
  const at = new Date(endedAt).toISOString();
  const revision = last.change.revision + 1;
  const change = { ...last.change, revision, status: "resolved", reminder: false, endedAt: at } as const;
  return { ...last, change, at: endedAt, messaged: new Set(), told: new Set(knowing) };
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
