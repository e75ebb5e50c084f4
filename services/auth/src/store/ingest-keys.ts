import { ingestKeyId, ingestScopes, type IngestScope } from "@vitrine/contracts/feed";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

export interface StoredIngestKey {
  readonly id: string;
  readonly name: string;
  readonly hash: Uint8Array;
  readonly scopes: readonly IngestScope[];
  readonly service: string | undefined;
  readonly servicePrefix: string | undefined;
  /** Made from the configuration; it goes when it is no longer there. */
  readonly preset: boolean;
  /** Subject of the token that made it, or `configuration`. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  /** As {@link createdBy}. */
  readonly revokedBy: string | undefined;
  readonly lastUsedAtMs: number | undefined;
}

export interface IngestKeyStore {
  /** Adds the key, or replaces what is stored under its id. */
  put(key: StoredIngestKey): Promise<void>;
  find(id: string): Promise<StoredIngestKey | undefined>;
  /** Neither revoked nor expired; among `ids` when given. */
  live(atMs: number, ids?: readonly string[]): Promise<readonly StoredIngestKey[]>;
  /** Keys of the name that are neither revoked nor expired. */
  liveOf(name: string, atMs: number): Promise<readonly StoredIngestKey[]>;
  /** Ordered by name and id, from after `position` on. */
  page(limit: number, position?: { readonly name: string; readonly id: string }): Promise<readonly StoredIngestKey[]>;
  /** Preset keys that are live and not among `ids`. */
  otherPresets(ids: readonly string[]): Promise<readonly StoredIngestKey[]>;
  /** False when there is no such key, or it was revoked before. */
  revoke(id: string, atMs: number, by: string): Promise<boolean>;
  /** Later times win, whatever the order they are told in. */
  touch(uses: readonly { readonly id: string; readonly usedAtMs: number }[]): Promise<void>;
}

const time = z
  .date()
  .nullable()
  .transform((date) => date?.getTime());
const optionalText = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined);

const row = z.object({
  id: z.string(),
  name: z.string(),
  hash: z.instanceof(Uint8Array),
  scopes: z.array(z.enum(ingestScopes)),
  service: optionalText,
  servicePrefix: optionalText,
  preset: z.boolean(),
  createdBy: z.string(),
  createdAtMs: z.date().transform((date) => date.getTime()),
  expiresAtMs: time,
  revokedAtMs: time,
  revokedBy: optionalText,
  lastUsedAtMs: time,
});

const columns = `id, name, hash, scopes, service, service_prefix as "servicePrefix", preset, created_by as "createdBy",
  created_at as "createdAtMs", expires_at as "expiresAtMs", revoked_at as "revokedAtMs", revoked_by as "revokedBy",
  last_used_at as "lastUsedAtMs"`;

export function createIngestKeyStore(database: Queryable): IngestKeyStore {
  async function select(
    condition: string,
    values: readonly unknown[],
    order = "id",
  ): Promise<readonly StoredIngestKey[]> {
    const rows = await database.query(
      `select ${columns} from ingest_keys where ${condition} order by ${order}`,
      values,
    );
    return rows.map((found) => row.parse(found));
  }

  return {
    put: async (key) => {
      await database.query(
        `insert into ingest_keys
           (id, name, hash, scopes, service, service_prefix, preset, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set
           name = excluded.name, hash = excluded.hash, scopes = excluded.scopes, service = excluded.service,
           service_prefix = excluded.service_prefix, preset = excluded.preset, expires_at = excluded.expires_at,
           revoked_at = null, revoked_by = null`,
        [
          key.id,
          key.name,
          Buffer.from(key.hash),
          key.scopes,
          key.service ?? null,
          key.servicePrefix ?? null,
          key.preset,
          key.createdBy,
          new Date(key.createdAtMs),
          key.expiresAtMs === undefined ? null : new Date(key.expiresAtMs),
        ],
      );
    },
    find: async (id) => (ingestKeyId.safeParse(id).success ? (await select("id = $1", [id]))[0] : undefined),
    liveOf: (name, atMs) =>
      select("name = $1 and revoked_at is null and (expires_at is null or expires_at > $2)", [name, new Date(atMs)]),
    page: (limit, position) =>
      select("(name, id) > ($1, $2)", [position?.name ?? "", position?.id ?? ""], `name, id limit ${limit}`),
    otherPresets: (ids) => select("preset and revoked_at is null and id <> all ($1)", [ids]),
    live: (atMs, ids) =>
      ids === undefined
        ? select("revoked_at is null and (expires_at is null or expires_at > $1)", [new Date(atMs)])
        : select("revoked_at is null and (expires_at is null or expires_at > $1) and id = any ($2)", [
            new Date(atMs),
            ids,
          ]),
    revoke: async (id, atMs, by) => {
      const revoked = await database.query(
        "update ingest_keys set revoked_at = $2, revoked_by = $3 where id = $1 and revoked_at is null returning id",
        [id, new Date(atMs), by],
      );
      return revoked.length > 0;
    },
    touch: async (uses) => {
      await database.query(
        `update ingest_keys k set last_used_at = greatest(k.last_used_at, u.used_at)
         from (select id, max(to_timestamp(used_ms / 1000.0)) as used_at
               from unnest($1::text[], $2::float8[]) as t (id, used_ms) group by id) u
         where k.id = u.id`,
        [uses.map(({ id }) => id), uses.map(({ usedAtMs }) => usedAtMs)],
      );
    },
  };
}
