import { type FeedAnswer, type IngestKeyRecord, revocationKinds } from "@vitrine/contracts/feed";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";
import { createIngestKeyStore, type StoredIngestKey } from "./ingest-keys.ts";

export interface FeedStore {
  /**
   * What came after `after`; everything live without it, and when `after` lies before what is still stored or beyond
   * what was ever given out (another database). What is told twice does no harm.
   */
  read(after: number | undefined, atMs: number): Promise<FeedAnswer>;
  /** Removes entries that nothing depends on any more. */
  prune(atMs: number): Promise<void>;
}

const maxEntries = 1_000;
/** Verifiers accept a token a little past its time. */
const marginMs = 60_000;

const entry = z.object({
  seq: z.string().transform(Number),
  kind: z.enum([...revocationKinds, "ingest_key_added"]),
  id: z.string(),
  atMs: z.date().transform((date) => date.getTime()),
  expiresAtMs: z.date().transform((date) => date.getTime()),
});

type Entry = z.infer<typeof entry>;

const entryColumns = `seq, kind, subject as id, at as "atMs", expires_at as "expiresAtMs"`;

/** Statement whose one value is the newest number of the feed. */
export const newestSeq = `select greatest((select max(seq) from feed_entries), (select seq from feed_floor))::text as value`;

export function createFeedStore(database: Database): FeedStore {
  async function bounds(): Promise<{ readonly floor: number; readonly newest: number }> {
    const [row] = await database.query(
      `select f.seq::text as floor, greatest(f.seq, (select max(seq) from feed_entries))::text as newest from feed_floor f`,
    );
    return z.object({ floor: z.coerce.number(), newest: z.coerce.number() }).parse(row);
  }

  async function snapshot(newest: number, atMs: number): Promise<FeedAnswer> {
    // Read after `newest`: what is committed in between is told now and once more by the next answer.
    const entries = await selectEntries(
      database,
      "seq is not null and kind <> 'ingest_key_added' and expires_at > $1",
      [new Date(atMs - marginMs)],
    );
    const keys = await createIngestKeyStore(database).live(atMs);
    return { seq: newest, snapshot: true, revocations: toRevocations(entries), keys: keys.map(toRecord) };
  }

  return {
    read: async (after, atMs) => {
      const { floor, newest } = await bounds();
      if (after === undefined || after < floor || after > newest) return await snapshot(newest, atMs);
      const entries = await selectEntries(database, `seq > $1 order by seq limit ${maxEntries}`, [after]);
      const added = entries.filter(({ kind }) => kind === "ingest_key_added").map(({ id }) => id);
      const keys = added.length === 0 ? [] : await createIngestKeyStore(database).live(atMs, added);
      return {
        seq: entries.at(-1)?.seq ?? after,
        snapshot: false,
        revocations: toRevocations(entries),
        keys: keys.map(toRecord),
      };
    },
    prune: (atMs) =>
      database.transaction(async (tx) => {
        await tx.query(
          `with gone as (delete from feed_entries where expires_at < $1 returning seq)
           update feed_floor set seq = greatest(seq, (select max(seq) from gone))`,
          [new Date(atMs - marginMs)],
        );
      }),
  };
}

async function selectEntries(
  database: Queryable,
  condition: string,
  values: readonly unknown[],
): Promise<readonly Entry[]> {
  const rows = await database.query(`select ${entryColumns} from feed_entries where ${condition}`, values);
  return rows.map((found) => entry.parse(found));
}

function toRevocations(entries: readonly Entry[]): FeedAnswer["revocations"] {
  return entries.flatMap(({ kind, id, atMs, expiresAtMs }) =>
    kind === "ingest_key_added" ? [] : [{ kind, id, atMs, expiresAtMs }],
  );
}

/** Both keys of a rotation share one client id: quotas and dashboards see one client. A colon is in no OAuth client's. */
export function clientIdOfKey(name: string): string {
  return `key:${name}`;
}

function toRecord({ id, hash, name, scopes, service, servicePrefix, expiresAtMs }: StoredIngestKey): IngestKeyRecord {
  return {
    id,
    hash: Buffer.from(hash).toString("base64url"),
    clientId: clientIdOfKey(name),
    scopes: [...scopes],
    ...(service === undefined ? {} : { service }),
    ...(servicePrefix === undefined ? {} : { servicePrefix }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}
