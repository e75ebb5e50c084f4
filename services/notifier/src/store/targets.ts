import type { Channel, Tier } from "@vitrine/contracts/alerts";
import type { QuietHours } from "@vitrine/contracts/targets";
import type { Queryable, Row } from "@vitrine/kit/postgres";
import type { Routing } from "../routing.ts";

/** A target as it is kept. */
export interface StoredTarget extends Row {
  readonly id: string;
  readonly name: string;
  readonly channel: Channel;
  readonly destination: string;
  /** Sealed. */
  readonly settings: Uint8Array;
  readonly enabled: boolean;
  readonly tiers: readonly Tier[];
  readonly matchers: Readonly<Record<string, string>>;
  readonly sendResolved: boolean;
  readonly quietHours: QuietHours | null;
  readonly preset: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `id, name, channel, destination, settings, enabled, tiers, matchers, send_resolved as "sendResolved",
  quiet_hours as "quietHours", preset, created_at as "createdAt", updated_at as "updatedAt"`;

export function listTargets(on: Queryable): Promise<readonly StoredTarget[]> {
  return on.query<StoredTarget>(`select ${columns} from targets order by name`);
}

export async function findTarget(on: Queryable, id: string): Promise<StoredTarget | undefined> {
  const [row] = await on.query<StoredTarget>(`select ${columns} from targets where id = $1`, [id]);
  return row;
}

/** Locks the row, for a change that depends on what is there. */
export async function lockTarget(tx: Queryable, id: string): Promise<StoredTarget | undefined> {
  const [row] = await tx.query<StoredTarget>(`select ${columns} from targets where id = $1 for update`, [id]);
  return row;
}

/** What of enabled targets decides what they are told. */
export function listRoutings(on: Queryable): Promise<readonly (Routing & { readonly id: string })[]> {
  return on.query<Routing & { readonly id: string } & Row>(
    `select id, tiers, matchers, send_resolved as "sendResolved", quiet_hours as "quietHours" from targets where enabled`,
  );
}

/** Writes a target, or writes over the one of this id. The name must be free: 23505 otherwise. */
export async function putTarget(on: Queryable, target: StoredTarget): Promise<void> {
  await on.query(
    `insert into targets (id, name, channel, destination, settings, enabled, tiers, matchers, send_resolved, quiet_hours,
       preset, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (id) do update set name = excluded.name, channel = excluded.channel, destination = excluded.destination,
       settings = excluded.settings, enabled = excluded.enabled, tiers = excluded.tiers, matchers = excluded.matchers,
       send_resolved = excluded.send_resolved, quiet_hours = excluded.quiet_hours, preset = excluded.preset,
       updated_at = excluded.updated_at`,
    [
      target.id,
      target.name,
      target.channel,
      target.destination,
      Buffer.from(target.settings),
      target.enabled,
      target.tiers,
      JSON.stringify(target.matchers),
      target.sendResolved,
      target.quietHours === null ? null : JSON.stringify(target.quietHours),
      target.preset,
      target.createdAt,
      target.updatedAt,
    ],
  );
}

/** False where the target has changed since it was read, or is disabled already. */
export async function disableTarget(
  on: Queryable,
  { id, updatedAt }: Pick<StoredTarget, "id" | "updatedAt">,
  at: Date,
): Promise<boolean> {
  const rows = await on.query(
    "update targets set enabled = false, updated_at = $3 where id = $1 and updated_at = $2 and enabled returning id",
    [id, updatedAt, at],
  );
  return rows.length > 0;
}

/** Removes a target with all that was or is to be sent to it. */
export async function deleteTarget(on: Queryable, id: string): Promise<void> {
  await on.query("delete from targets where id = $1", [id]);
}

/** Presets that are not of these names any more are told nothing from now on. */
export async function disableOtherPresets(on: Queryable, names: readonly string[], at: Date): Promise<void> {
  await on.query(
    "update targets set enabled = false, preset = false, updated_at = $2 where preset and name <> all ($1)",
    [names, at],
  );
}

export async function countTargets(on: Queryable): Promise<number> {
  const [row] = await on.query<{ count: number }>("select count(*)::integer as count from targets");
  return row?.count ?? 0;
}
