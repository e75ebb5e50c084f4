import type { Tier } from "@vitrine/contracts/alerts";
import type { Queryable, Row } from "@vitrine/kit/postgres";
import type { KnownAlert } from "../change.ts";
import type { ToldChange } from "../told-change.ts";

export interface StoredAlert {
  readonly id: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly tier: Tier;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly receivedAt: Date;
  readonly lastReceivedAt: Date;
}

export interface AlertFilter {
  readonly status?: "firing" | "resolved" | undefined;
  readonly tier?: Tier | undefined;
  readonly name?: string | undefined;
  readonly fingerprint?: string | undefined;
}

const columns = `id, fingerprint, name, tier, status, labels, annotations, started_at as "startedAt",
  ended_at as "endedAt", received_at as "receivedAt", last_received_at as "lastReceivedAt"`;

type StoredRow = StoredAlert & Row;

/** Newest first; `before` is the id of the last one seen. */
export function listAlerts(
  on: Queryable,
  { status, tier, name, fingerprint }: AlertFilter,
  before: string | undefined,
  count: number,
): Promise<readonly StoredAlert[]> {
  return on.query<StoredRow>(
    `select ${columns} from alerts
     where ($1::text is null or status = $1) and ($2::text is null or tier = $2) and ($3::text is null or name = $3)
       and ($4::text is null or fingerprint = $4) and ($5::uuid is null or id < $5)
     order by id desc limit $6`,
    [status ?? null, tier ?? null, name ?? null, fingerprint ?? null, before ?? null, count],
  );
}

export async function findAlert(on: Queryable, id: string): Promise<StoredAlert | undefined> {
  const [row] = await on.query<StoredRow>(`select ${columns} from alerts where id = $1`, [id]);
  return row;
}

/** What names an alert: the same alert that starts anew is another. */
export interface AlertKey {
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** What is known of these, by {@link keyText}. */
export async function knownAlerts(on: Queryable, keys: readonly AlertKey[]): Promise<ReadonlyMap<string, KnownAlert>> {
  const rows = await on.query<KnownRow>(
    `select ${knownColumns}
     from jsonb_to_recordset($1::jsonb) as k (fingerprint text, "startedAt" timestamptz)
     join alerts a on a.fingerprint = k.fingerprint and a.started_at = k."startedAt"`,
    [JSON.stringify(keys)],
  );
  return byKey(rows);
}

/** What is known of alerts by {@link keyText}: the newest, and those that fire. */
export async function latestAlerts(on: Queryable): Promise<ReadonlyMap<string, KnownAlert>> {
  return byKey(
    await on.query<KnownRow>(
      `(select ${knownColumns} from alerts a order by a.id desc limit 500)
       union (select ${knownColumns} from alerts a where a.status = 'firing' order by a.id desc limit 2000)`,
    ),
  );
}

const knownColumns = `a.id, a.fingerprint, a.started_at as "startedAt", a.status, a.revision, a.told_at as "toldAt"`;

interface KnownRow extends Row {
  readonly id: string;
  readonly fingerprint: string;
  readonly startedAt: Date;
  readonly status: KnownAlert["status"];
  readonly revision: number;
  readonly toldAt: Date;
}

function byKey(rows: readonly KnownRow[]): ReadonlyMap<string, KnownAlert> {
  return new Map(
    rows.map(({ id, fingerprint, startedAt, status, revision, toldAt }) => [
      keyText({ fingerprint, startedAt: startedAt.toISOString() }),
      { id, status, revision, toldAt: toldAt.getTime() },
    ]),
  );
}

export function keyText({ fingerprint, startedAt }: AlertKey): string {
  return `${fingerprint} ${startedAt}`;
}

/** Stores what changed. An earlier run of the same alert that nobody ended ends when the new one begins. */
export async function storeChanges(
  on: Queryable,
  changes: readonly ToldChange[],
  groupKey: string,
  now: number,
): Promise<void> {
  const at = new Date(now);
  await on.query(
    `insert into alerts as a (id, fingerprint, group_key, name, tier, status, revision, labels, annotations, started_at,
       ended_at, received_at, last_received_at, told_at)
     select "alertId", fingerprint, $2, name, tier, status, revision, labels, annotations, "startedAt", "endedAt", $3, $3, $3
     from jsonb_to_recordset($1::jsonb) as c ("alertId" uuid, fingerprint text, name text, tier text, status text,
       revision integer, labels jsonb, annotations jsonb, "startedAt" timestamptz, "endedAt" timestamptz)
     on conflict (id) do update set group_key = excluded.group_key, status = excluded.status,
       revision = excluded.revision, labels = excluded.labels, annotations = excluded.annotations,
       ended_at = excluded.ended_at, last_received_at = $3, told_at = $3`,
    [JSON.stringify(changes), groupKey, at],
  );
  await on.query(
    `update alerts a set status = 'resolved', ended_at = greatest(n.started_at, a.started_at)
     from alerts n
     where n.id = any ($1) and a.fingerprint = n.fingerprint and a.status = 'firing' and a.started_at < n.started_at`,
    [changes.map(({ alertId }) => alertId)],
  );
}

export async function markReceived(on: Queryable, ids: readonly string[], now: number): Promise<void> {
  await on.query("update alerts set last_received_at = $2 where id = any ($1)", [ids, new Date(now)]);
}

/** Removes what ended before `before`. */
export async function pruneAlerts(on: Queryable, before: number): Promise<void> {
  await on.query("delete from alerts where status = 'resolved' and ended_at < $1 and last_received_at < $1", [
    new Date(before),
  ]);
}
