import type { Queryable } from "@vitrine/kit/postgres";
import type { KnownAlert } from "../change.ts";
import { latestAlerts } from "./alerts.ts";
import { listTargets, type StoredTarget } from "./targets.ts";

/** What it takes to tell people of alerts without the database. */
export interface Known {
  readonly targets: readonly StoredTarget[];
  /** By `keyText`. */
  readonly alerts: ReadonlyMap<string, KnownAlert>;
  /** Messages in the outbox by id: nothing of these alerts may get ahead of them. */
  readonly waiting: ReadonlyMap<string, WaitingMessage>;
}

export interface WaitingMessage {
  readonly targetId: string;
  readonly fingerprints: readonly string[];
}

/** The newest; a target for which more wait has long been out of reach. */
const maxWaiting = 2_000;

export async function readKnown(on: Queryable): Promise<Known> {
  const targets = await listTargets(on);
  const alerts = await latestAlerts(on);
  const rows = await on.query<{ id: string; targetId: string; fingerprints: readonly string[] }>(
    `select id, target_id as "targetId", fingerprints from deliveries where state = 'waiting'
     order by seq desc limit ${maxWaiting}`,
  );
  const waiting = new Map(rows.map(({ id, ...message }) => [id, message]));
  return { targets: targets.filter(({ enabled }) => enabled), alerts, waiting };
}
