import type { ThresholdName, ThresholdRecord } from "@vitrine/contracts/thresholds";
import type { Queryable, Row } from "@vitrine/kit/postgres";

/** The owner of what holds for everyone. */
export const everyone = "";

/** So many changes of one's own are kept; those for everyone are all kept. */
const keptOfOwn = 100;

export type Values = ReadonlyMap<ThresholdName, number>;

interface ValueRow extends Row {
  readonly name: ThresholdName;
  readonly value: number;
}

export async function valuesOf(on: Queryable, owner: string): Promise<Values> {
  const rows = await on.query<ValueRow>("select name, value from thresholds where owner = $1", [owner]);
  return new Map(rows.map(({ name, value }) => [name, value]));
}

export interface NewValue {
  readonly id: string;
  readonly owner: string;
  readonly name: ThresholdName;
  readonly value: number | null;
  readonly by: string;
  readonly at: Date;
}

/** In a transaction; writes down what it was before. Whether anything has changed. */
export async function putValue(tx: Queryable, change: NewValue): Promise<boolean> {
  const { id, owner, name, value, by, at } = change;
  // Two at once would otherwise both write down the same value as the one before.
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`${owner}/${name}`]);
  const [row] = await tx.query<ValueRow>("select name, value from thresholds where owner = $1 and name = $2", [
    owner,
    name,
  ]);
  const before = row?.value ?? null;
  if (before === value) return false;
  await (value === null
    ? tx.query("delete from thresholds where owner = $1 and name = $2", [owner, name])
    : tx.query(
        `insert into thresholds (owner, name, value) values ($1, $2, $3)
         on conflict (owner, name) do update set value = excluded.value`,
        [owner, name, value],
      ));
  await tx.query(
    `insert into threshold_changes (id, owner, name, before, after, changed_by, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, owner, name, before, value, by, at],
  );
  if (owner !== everyone)
    await tx.query(
      `delete from threshold_changes where owner = $1 and id in
         (select id from threshold_changes where owner = $1 order by id desc offset ${keptOfOwn})`,
      [owner],
    );
  return true;
}

interface ChangeRow extends Row {
  readonly id: string;
  readonly owner: string;
  readonly name: ThresholdName;
  readonly before: number | null;
  readonly after: number | null;
  readonly changedBy: string;
  readonly changedAt: Date;
}

/** Changes for everyone and of one person, the newest first. */
export async function historyFor(on: Queryable, owner: string, limit: number): Promise<readonly ThresholdRecord[]> {
  const rows = await on.query<ChangeRow>(
    `select id, owner, name, before, after, changed_by as "changedBy", changed_at as "changedAt"
     from threshold_changes where owner in ('', $1) order by id desc limit $2`,
    [owner, limit],
  );
  return rows.map(({ owner: of, changedAt, ...rest }) => ({
    id: rest.id,
    name: rest.name,
    scope: of === everyone ? ("everyone" as const) : ("own" as const),
    before: rest.before,
    after: rest.after,
    changedBy: rest.changedBy,
    changedAt: changedAt.toISOString(),
  }));
}
