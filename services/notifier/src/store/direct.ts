import type { Queryable } from "@vitrine/kit/postgres";
import { type AttemptRecord, type DueDelivery, earlier } from "./deliveries.ts";

/** A message that was made without the database, with what became of its last attempt. */
export interface DirectDelivery {
  readonly delivery: DueDelivery;
  /** `undefined` where there was none. */
  readonly record: AttemptRecord | undefined;
}

/**
 * Puts a message where it would stand had the database been there: delivered, given up, or waiting. It is sealed, since
 * its target may have seen it under this id.
 */
export async function storeDirect(
  on: Queryable,
  { delivery, record }: DirectDelivery,
  alertIds: readonly string[],
): Promise<void> {
  const { id, targetId, groupKey, tier, changes, attempts, createdAt, dueAt } = delivery;
  const state = record?.state ?? "waiting";
  const at = new Date(record?.at ?? dueAt.getTime());
  await on.query(
    `insert into deliveries (id, target_id, group_key, tier, changes, fingerprints, alert_ids, after, state, sealed,
       attempts, tries, created_at, due_at, next_attempt_at, ended_at, failure, failure_status)
     values ($7, $1, $2, $3, $5::jsonb, $6, $4,
       case when $8 = 'waiting' then ${earlier("9223372036854775807")} else '{}' end, $8, true, $9, $9, $10, $11, $12,
       case when $8 = 'waiting' then null else $12::timestamptz end, $13, $14)
     on conflict (id) do nothing`,
    [
      targetId,
      groupKey,
      tier,
      alertIds,
      JSON.stringify(changes),
      changes.map(({ fingerprint }) => fingerprint),
      id,
      state,
      attempts,
      createdAt,
      dueAt,
      at,
      record?.failure ?? null,
      record?.status ?? null,
    ],
  );
}
