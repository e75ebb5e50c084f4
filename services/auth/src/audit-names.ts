import { type AuditParty, auditParty } from "@vitrine/contracts/people";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

const uuid = z.uuid();
const named = auditParty.extend({ id: z.string() });

export interface NamesOptions {
  /** Whether whoever asks may know the names of ingest keys. */
  readonly keys: boolean;
}

/** Who has these ids now, also who is disabled; whoever is gone is missing. */
export async function namesOf(
  database: Queryable,
  ids: readonly string[],
  { keys }: NamesOptions,
): Promise<ReadonlyMap<string, AuditParty>> {
  const rows = await database.query(
    `select id::text as id, 'person' as kind, name from users where id = any ($1::uuid[])
     union all select client_id, 'client', client_id from clients where client_id = any ($2)
     union all select id, 'ingest_key', name from ingest_keys where $3 and id = any ($2)`,
    [ids.filter((id) => uuid.safeParse(id).success), ids, keys],
  );
  return new Map(rows.map((row) => named.parse(row)).map(({ id, kind, name }) => [id, { kind, name }]));
}

/** Ids that a text may mean: itself, and of each person and ingest key of that name. */
export async function idsOf(database: Queryable, text: string, { keys }: NamesOptions): Promise<readonly string[]> {
  const rows = await database.query<{ id: string }>(
    `select id::text as id from users where lower(name) = lower($1)
     union select id from ingest_keys where $2 and name = $1`,
    [text, keys],
  );
  return [...new Set([text, ...rows.map(({ id }) => id)])];
}
