import type { Queryable } from "@vitrine/kit/postgres";
import { type AuditRow, auditColumns, auditRow } from "./audit-chain.ts";

/** A row's place in the order of reading: by time, and by `seq` among those of one millisecond. */
export interface AuditPosition {
  readonly atMs: number;
  readonly seq: number;
}

export interface AuditFilter {
  /** Ids, one of which is the actor or the target. */
  readonly parties?: readonly string[] | undefined;
  readonly event?: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: AuditRow["outcome"] | undefined;
  /** Milliseconds since the epoch, the first that belongs to it and the first that no longer does. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

export interface AuditSearch {
  readonly limit: number;
  /** Of the last row of the page before. */
  readonly before?: AuditPosition | undefined;
  readonly filter?: AuditFilter;
}

const newestFirst = "order by at desc, seq desc limit $1";

/** Rows that fit every part of the filter, newest first. */
export async function searchAudit(
  database: Queryable,
  { limit, before, filter = {} }: AuditSearch,
): Promise<readonly AuditRow[]> {
  const { parties, event, action, outcome, fromMs, toMs } = filter;
  const values: unknown[] = [limit];
  const conditions = ["true"];
  const narrow = (toCondition: (...names: readonly string[]) => string, ...parts: readonly unknown[]): void => {
    if (parts.includes(undefined)) return;
    conditions.push(toCondition(...parts.map((part) => `$${values.push(part)}`)));
  };
  narrow((value) => `event = ${value}`, event);
  narrow((value) => `action = ${value}`, action);
  narrow((value) => `outcome = ${value}`, outcome);
  narrow((value) => `at >= ${toTime(value)}`, fromMs);
  narrow((value) => `at < ${toTime(value)}`, toMs);
  narrow((ms, seq) => `(at, seq) < (${toTime(ms)}, ${seq}::bigint)`, before?.atMs, before?.seq);
  const rest = conditions.join(" and ");
  const found =
    parties === undefined
      ? rest
      : `seq in (${parties.map((party) => walksOf(`$${values.push(party)}`, rest)).join(" union all ")})`;
  const rows = await database.query(`select ${auditColumns} from audit_log where ${found} ${newestFirst}`, values);
  return rows.map((row) => auditRow.parse(row));
}

/** A walk along an index for each part somebody can have, which ends at the limit: nobody's rows are all read. */
function walksOf(party: string, rest: string): string {
  const walk = (column: string): string =>
    `(select seq from audit_log where ${column} = ${party} and ${rest} ${newestFirst})`;
  return `${walk("actor")} union all ${walk("target")}`;
}

function toTime(milliseconds: string): string {
  return `to_timestamp(${milliseconds}::float8 / 1000)`;
}
