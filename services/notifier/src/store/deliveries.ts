import type { Channel, DeliveryFailure, Tier } from "@vitrine/contracts/alerts";
import type { Queryable, Row } from "@vitrine/kit/postgres";
import type { ToldChange } from "../told-change.ts";

export interface NewDelivery {
  readonly id: string;
  readonly targetId: string;
  readonly groupKey: string;
  readonly tier: Tier;
  readonly changes: readonly ToldChange[];
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  readonly now: number;
}

/** Changes in one message. What channels show is less; a webhook gets them all. */
const maxChanges = 500;

/** Messages before `$before` that wait for the same target and are about the same group and tier, or one of the alerts. */
export const earlier = (before: string) => `array(
  select e.seq from deliveries e where e.target_id = $1 and e.state = 'waiting' and e.seq < ${before}
    and ((e.group_key = $2 and e.tier = $3) or e.fingerprints && $6))`;

/**
 * Adds changes to the last message of the group that waits and was never sent, or makes one; returns how many it made.
 * No change may get ahead of one of the same alert, so a later message about any of these alerts rules the former out.
 */
export async function enqueue(on: Queryable, delivery: NewDelivery): Promise<number> {
  const { id, targetId, groupKey, tier, changes } = delivery;
  const fingerprints = changes.map(({ fingerprint }) => fingerprint);
  const alertIds = changes.map(({ alertId }) => alertId);
  const [joined] = await on.query(
    `update deliveries u set changes = changes || $5::jsonb, fingerprints = fingerprints || $6, alert_ids = alert_ids || $4,
       after = ${earlier("u.seq")}
     where id = (
       select d.id from deliveries d
       where d.target_id = $1 and d.state = 'waiting' and d.group_key = $2 and d.tier = $3 and not d.sealed
         and jsonb_array_length(d.changes) + cardinality($6::text[]) <= $7
         and not exists (
           select from deliveries l where l.target_id = $1 and l.state = 'waiting' and l.seq > d.seq
             and ((l.group_key = $2 and l.tier = $3) or l.fingerprints && $6))
       order by d.seq desc limit 1 for update skip locked)
     returning id`,
    [targetId, groupKey, tier, alertIds, JSON.stringify(changes), fingerprints, maxChanges],
  );
  if (joined !== undefined) return 0;
  await on.query(
    `insert into deliveries (id, target_id, group_key, tier, changes, fingerprints, alert_ids, after, created_at, due_at,
       next_attempt_at)
     values ($7, $1, $2, $3, $5::jsonb, $6, $4, ${earlier("9223372036854775807")}, $8, $9, $9)`,
    [
      targetId,
      groupKey,
      tier,
      alertIds,
      JSON.stringify(changes),
      fingerprints,
      id,
      new Date(delivery.now),
      new Date(delivery.dueAt),
    ],
  );
  return 1;
}

export async function isWaiting(on: Queryable, targetId: string, alertId: string): Promise<boolean> {
  const [row] = await on.query(
    "select 1 from deliveries where target_id = $1 and state = 'waiting' and alert_ids @> array[$2::uuid] limit 1",
    [targetId, alertId],
  );
  return row !== undefined;
}

/** A message to be sent. */
export interface DueDelivery {
  readonly id: string;
  readonly targetId: string;
  readonly tier: Tier;
  readonly groupKey: string;
  readonly changes: readonly ToldChange[];
  readonly attempts: number;
  readonly tries: number;
  readonly createdAt: Date;
  readonly dueAt: Date;
}

/**
 * Seals the next message that is due, none to a `busy` target, and returns its id. Committed before it is sent: a
 * process that is killed while it sends must not leave a message that still grows under an id the target has seen.
 */
export async function sealNext(
  on: Queryable,
  now: number,
  busy: readonly string[],
): Promise<{ readonly id: string; readonly targetId: string } | undefined> {
  const [row] = await on.query<{ id: string; targetId: string }>(
    `update deliveries set sealed = true where id = (
       select d.id from deliveries d join targets t on t.id = d.target_id
       where d.state = 'waiting' and d.next_attempt_at <= $1 and t.enabled and d.target_id <> all ($2)
         and not exists (select from deliveries e where e.seq = any (d.after) and e.state = 'waiting')
       order by (d.tier <> 'critical'), d.seq limit 1 for update of d skip locked)
     returning id, target_id as "targetId"`,
    [new Date(now), busy],
  );
  return row;
}

/** Locks a sealed message for as long as the transaction lasts; another process that has it makes this `undefined`. */
export async function lockDue(tx: Queryable, id: string, now: number): Promise<DueDelivery | undefined> {
  const [row] = await tx.query<DueDelivery & Row>(
    `select id, target_id as "targetId", tier, group_key as "groupKey", changes, attempts, tries,
       created_at as "createdAt", due_at as "dueAt"
     from deliveries where id = $1 and state = 'waiting' and next_attempt_at <= $2 for update skip locked`,
    [id, new Date(now)],
  );
  return row;
}

export interface AttemptRecord {
  readonly id: string;
  readonly state: "waiting" | "delivered" | "dead";
  /** Milliseconds since the epoch: of the next attempt, or of the end. */
  readonly at: number;
  readonly failure: DeliveryFailure | null;
  readonly status: number | null;
}

export async function recordAttempt(on: Queryable, { id, state, at, failure, status }: AttemptRecord): Promise<void> {
  await on.query(
    `update deliveries set attempts = attempts + 1, tries = tries + 1, state = $2, failure = $4, failure_status = $5,
       next_attempt_at = case when $2 = 'waiting' then $3 else next_attempt_at end,
       ended_at = case when $2 = 'waiting' then null else $3::timestamptz end
     where id = $1`,
    [id, state, new Date(at), failure, status],
  );
}

/** When the next message of an enabled target is due, in milliseconds since the epoch. */
export async function nextDue(on: Queryable): Promise<number | undefined> {
  const [row] = await on.query<{ at: Date | null }>(
    `select min(d.next_attempt_at) as at from deliveries d join targets t on t.id = d.target_id
     where d.state = 'waiting' and t.enabled`,
  );
  return row?.at?.getTime();
}

/** Puts dead letters into the outbox again under their old ids: all, those of one target, or one. */
export async function replay(
  on: Queryable,
  which: { readonly id?: string | undefined; readonly targetId?: string | undefined },
  now: number,
): Promise<number> {
  const rows = await on.query(
    `update deliveries set state = 'waiting', tries = 0, ended_at = null, due_at = $3, next_attempt_at = $3
     where state = 'dead' and ($1::uuid is null or id = $1) and ($2::uuid is null or target_id = $2) returning id`,
    [which.id ?? null, which.targetId ?? null, new Date(now)],
  );
  return rows.length;
}

/** Removes a dead letter that nobody needs any more; false where there is none of this id. */
export async function discard(on: Queryable, id: string): Promise<boolean> {
  const rows = await on.query("delete from deliveries where id = $1 and state = 'dead' returning id", [id]);
  return rows.length > 0;
}

export interface StoredDelivery extends Row {
  readonly id: string;
  readonly targetId: string;
  readonly targetName: string;
  readonly channel: Channel;
  readonly state: "waiting" | "delivered" | "dead";
  readonly tier: Tier;
  readonly changes: readonly ToldChange[];
  readonly attempts: number;
  readonly createdAt: Date;
  readonly dueAt: Date;
  readonly nextAttemptAt: Date;
  readonly endedAt: Date | null;
  readonly failure: DeliveryFailure | null;
  readonly failureStatus: number | null;
}

const columns = `d.id, d.target_id as "targetId", t.name as "targetName", t.channel, d.state, d.tier, d.changes, d.attempts,
  d.created_at as "createdAt", d.due_at as "dueAt", d.next_attempt_at as "nextAttemptAt", d.ended_at as "endedAt",
  d.failure, d.failure_status as "failureStatus"`;

export interface DeliveryFilter {
  readonly state?: StoredDelivery["state"] | undefined;
  readonly target?: string | undefined;
  readonly alert?: string | undefined;
}

/** Newest first; `before` is the id of the last one seen. */
export function listDeliveries(
  on: Queryable,
  { state, target, alert }: DeliveryFilter,
  before: string | undefined,
  count: number,
): Promise<readonly StoredDelivery[]> {
  return on.query<StoredDelivery>(
    `select ${columns} from deliveries d join targets t on t.id = d.target_id
     where ($1::text is null or d.state = $1) and ($2::uuid is null or d.target_id = $2)
       and ($3::uuid is null or d.alert_ids @> array[$3::uuid]) and ($4::uuid is null or d.id < $4)
     order by d.id desc limit $5`,
    [state ?? null, target ?? null, alert ?? null, before ?? null, count],
  );
}

export async function findDelivery(on: Queryable, id: string): Promise<StoredDelivery | undefined> {
  const [row] = await on.query<StoredDelivery>(
    `select ${columns} from deliveries d join targets t on t.id = d.target_id where d.id = $1`,
    [id],
  );
  return row;
}

/** Removes what was delivered or given up before `before`. */
export async function pruneDeliveries(on: Queryable, before: number): Promise<void> {
  await on.query("delete from deliveries where state <> 'waiting' and ended_at < $1", [new Date(before)]);
}
