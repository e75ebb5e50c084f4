import { roles } from "@vitrine/contracts/scopes";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

const epochMs = z.date().transform((date) => date.getTime());
const optionalText = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined);

const storedSession = z.object({
  id: z.string(),
  kind: z.enum(["token", "cookie"]),
  createdAtMs: epochMs,
  lastUsedAtMs: epochMs,
  idleExpiresAtMs: epochMs,
  /** Absolute: no use moves it. */
  expiresAtMs: epochMs,
  provenAtMs: epochMs,
  provenTwice: z.boolean(),
  ended: z.boolean(),
  address: optionalText,
  userAgent: optionalText,
  user: z.object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    demo: z.boolean(),
    disabled: z.boolean(),
  }),
});

export type StoredSession = z.infer<typeof storedSession>;

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly kind: StoredSession["kind"];
  readonly handleHash: Uint8Array | undefined;
  readonly atMs: number;
  readonly idleExpiresAtMs: number;
  readonly expiresAtMs: number;
  readonly provenTwice: boolean;
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

export interface SessionStore {
  add(session: NewSession): Promise<void>;
  find(id: string): Promise<StoredSession | undefined>;
  findByHandle(handleHash: Uint8Array): Promise<StoredSession | undefined>;
  findByToken(hash: Uint8Array): Promise<StoredSession | undefined>;
  /** The session of a refresh token, with nobody else at it until the transaction ends. */
  lockByToken(hash: Uint8Array): Promise<{ readonly session: StoredSession; readonly used: boolean } | undefined>;
  addToken(hash: Uint8Array, sessionId: string, atMs: number): Promise<void>;
  useToken(hash: Uint8Array, atMs: number): Promise<void>;
  touch(id: string, atMs: number, idleExpiresAtMs: number): Promise<void>;
  prove(id: string, atMs: number, twice: boolean): Promise<void>;
  /** Those of a person that are not over, the latest used first, at most 100. */
  live(userId: string, atMs: number): Promise<readonly StoredSession[]>;
  /** Ends those of a person, or the one of them, and returns which were not over yet. */
  end(
    userId: string,
    which: { readonly only?: string; readonly except?: string },
    by: Ending,
  ): Promise<readonly string[]>;
  countLive(atMs: number): Promise<number>;
  /** Removes what was over before, with its tokens. */
  prune(beforeMs: number): Promise<void>;
}

interface Ending {
  readonly atMs: number;
  readonly reason: string;
}

const columns = `s.id, s.kind, s.created_at as "createdAtMs", s.last_used_at as "lastUsedAtMs",
  s.idle_expires_at as "idleExpiresAtMs", s.expires_at as "expiresAtMs", s.proven_at as "provenAtMs",
  s.proven_twice as "provenTwice", s.ended_at is not null as ended, s.address, s.user_agent as "userAgent",
  json_build_object('id', u.id, 'name', u.name, 'role', u.role, 'demo', u.demo,
                    'disabled', u.disabled_at is not null) as user`;

const liveAt = (parameter: string) =>
  `s.ended_at is null and s.expires_at > ${parameter} and s.idle_expires_at > ${parameter}`;

export function createSessionStore(database: Queryable): SessionStore {
  async function one(condition: string, value: unknown): Promise<StoredSession | undefined> {
    const [row] = await database.query(
      `select ${columns} from sessions s join users u on u.id = s.user_id where ${condition}`,
      [value],
    );
    return row === undefined ? undefined : storedSession.parse(row);
  }

  return {
    add: async (session) => {
      const at = new Date(session.atMs);
      await database.query(
        `insert into sessions (id, user_id, kind, handle_hash, created_at, last_used_at, idle_expires_at, expires_at,
                               proven_at, proven_twice, address, user_agent)
         values ($1, $2, $3, $4, $5, $5, $6, $7, $5, $8, $9, $10)`,
        [
          session.id,
          session.userId,
          session.kind,
          session.handleHash === undefined ? null : Buffer.from(session.handleHash),
          at,
          new Date(session.idleExpiresAtMs),
          new Date(session.expiresAtMs),
          session.provenTwice,
          session.address ?? null,
          session.userAgent ?? null,
        ],
      );
    },
    find: (id) => one("s.id = $1", id),
    findByHandle: (handleHash) => one("s.handle_hash = $1", Buffer.from(handleHash)),
    findByToken: (hash) => one("s.id = (select session_id from refresh_tokens where hash = $1)", Buffer.from(hash)),
    lockByToken: async (hash) => {
      // The session first: everyone who changes it takes this lock before any of its tokens.
      const [locked] = await database.query<{ id: string }>(
        `select s.id from sessions s where s.id = (select session_id from refresh_tokens where hash = $1) for update`,
        [Buffer.from(hash)],
      );
      if (locked === undefined) return undefined;
      const [token] = await database.query<{ used: boolean }>(
        "select used_at is not null as used from refresh_tokens where hash = $1",
        [Buffer.from(hash)],
      );
      const session = await one("s.id = $1", locked.id);
      return token === undefined || session === undefined ? undefined : { session, used: token.used };
    },
    addToken: async (hash, sessionId, atMs) => {
      await database.query("insert into refresh_tokens (hash, session_id, created_at) values ($1, $2, $3)", [
        Buffer.from(hash),
        sessionId,
        new Date(atMs),
      ]);
    },
    useToken: async (hash, atMs) => {
      await database.query("update refresh_tokens set used_at = $2 where hash = $1", [
        Buffer.from(hash),
        new Date(atMs),
      ]);
    },
    touch: async (id, atMs, idleExpiresAtMs) => {
      await database.query("update sessions set last_used_at = $2, idle_expires_at = $3 where id = $1", [
        id,
        new Date(atMs),
        new Date(idleExpiresAtMs),
      ]);
    },
    prove: async (id, atMs, twice) => {
      await database.query("update sessions set proven_at = $2, proven_twice = $3 where id = $1", [
        id,
        new Date(atMs),
        twice,
      ]);
    },
    live: async (userId, atMs) => {
      const rows = await database.query(
        `select ${columns} from sessions s join users u on u.id = s.user_id
         where s.user_id = $1 and ${liveAt("$2")} order by s.last_used_at desc, s.id limit 100`,
        [userId, new Date(atMs)],
      );
      return rows.map((row) => storedSession.parse(row));
    },
    end: async (userId, { only, except }, { atMs, reason }) => {
      const rows = await database.query<{ id: string }>(
        `with ending as (
           select s.id from sessions s
           where s.user_id = $1 and ${liveAt("$2")} and ($4::text is null or s.id = $4)
             and ($5::text is null or s.id <> $5)
           order by s.id for update
         )
         update sessions s set ended_at = $2, end_reason = $3 from ending where s.id = ending.id returning s.id`,
        [userId, new Date(atMs), reason, only ?? null, except ?? null],
      );
      return rows.map(({ id }) => id);
    },
    countLive: async (atMs) => {
      const [row] = await database.query<{ live: number }>(
        `select count(*)::int as live from sessions s where ${liveAt("$1")}`,
        [new Date(atMs)],
      );
      return row?.live ?? 0;
    },
    prune: async (beforeMs) => {
      await database.query("delete from sessions where expires_at < $1 or idle_expires_at < $1 or ended_at < $1", [
        new Date(beforeMs),
      ]);
    },
  };
}
