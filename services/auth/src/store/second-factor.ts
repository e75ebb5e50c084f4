import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";
import type { BackupCode } from "../backup-codes.ts";

const storedSeed = z.object({
  sealedSeed: z.instanceof(Uint8Array),
  confirmed: z.boolean(),
  lastStep: z.coerce.number(),
});

export type StoredSeed = z.infer<typeof storedSeed>;

export interface Challenge {
  readonly userId: string;
  readonly kind: "token" | "cookie";
}

const challenge = z.object({ userId: z.string(), kind: z.enum(["token", "cookie"]) });

export interface SecondFactorStore {
  isActive(userId: string): Promise<boolean>;
  find(userId: string): Promise<StoredSeed | undefined>;
  /** Begins anew; false when one is confirmed already. */
  begin(userId: string, sealedSeed: Uint8Array, atMs: number): Promise<boolean>;
  /** Takes a step once, whoever else tries it; `confirm` makes the factor active with it. */
  takeStep(userId: string, seed: StoredSeed, step: number, confirmAtMs?: number): Promise<boolean>;
  remove(userId: string): Promise<boolean>;
  putCodes(userId: string, hashes: readonly string[]): Promise<void>;
  codeHash(userId: string, number: number): Promise<string | undefined>;
  /** Takes a code once, whoever else tries it. */
  takeCode(userId: string, number: BackupCode["number"], hash: string, atMs: number): Promise<boolean>;
  codesLeft(userId: string): Promise<number>;
  addChallenge(hash: Uint8Array, challenge: Challenge, expiresAtMs: number): Promise<void>;
  findChallenge(hash: Uint8Array, atMs: number): Promise<Challenge | undefined>;
  /** Takes a challenge once. */
  takeChallenge(hash: Uint8Array): Promise<boolean>;
  removeChallenges(userId: string): Promise<void>;
  pruneChallenges(atMs: number): Promise<void>;
}

export function createSecondFactorStore(database: Queryable): SecondFactorStore {
  const affects = async (text: string, values: readonly unknown[]) => (await database.query(text, values)).length > 0;
  return {
    isActive: (userId) =>
      affects("select user_id from totp_seeds where user_id = $1 and confirmed_at is not null", [userId]),
    find: async (userId) => {
      const [row] = await database.query(
        `select sealed_seed as "sealedSeed", confirmed_at is not null as confirmed, last_step as "lastStep"
         from totp_seeds where user_id = $1`,
        [userId],
      );
      return row === undefined ? undefined : storedSeed.parse(row);
    },
    begin: (userId, sealedSeed, atMs) =>
      affects(
        `insert into totp_seeds (user_id, sealed_seed, created_at) values ($1, $2, $3)
         on conflict (user_id) do update set sealed_seed = excluded.sealed_seed, created_at = excluded.created_at,
           last_step = 0
         where totp_seeds.confirmed_at is null returning user_id`,
        [userId, Buffer.from(sealedSeed), new Date(atMs)],
      ),
    takeStep: (userId, { sealedSeed }, step, confirmAtMs) =>
      affects(
        `update totp_seeds set last_step = $3, confirmed_at = coalesce(confirmed_at, $4)
         where user_id = $1 and sealed_seed = $2 and last_step < $3 returning user_id`,
        [userId, Buffer.from(sealedSeed), step, confirmAtMs === undefined ? null : new Date(confirmAtMs)],
      ),
    remove: async (userId) => {
      await database.query("delete from backup_codes where user_id = $1", [userId]);
      return affects("delete from totp_seeds where user_id = $1 returning user_id", [userId]);
    },
    putCodes: async (userId, hashes) => {
      await database.query(
        `insert into backup_codes (user_id, number, hash)
         select $1, number - 1, hash from unnest($2::text[]) with ordinality as codes (hash, number)
         on conflict (user_id, number) do update set hash = excluded.hash, used_at = null`,
        [userId, hashes],
      );
    },
    codeHash: async (userId, number) => {
      const [row] = await database.query<{ hash: string }>(
        "select hash from backup_codes where user_id = $1 and number = $2 and used_at is null",
        [userId, number],
      );
      return row?.hash;
    },
    takeCode: (userId, number, hash, atMs) =>
      affects(
        `update backup_codes set used_at = $4 where user_id = $1 and number = $2 and hash = $3 and used_at is null
         returning user_id`,
        [userId, number, hash, new Date(atMs)],
      ),
    codesLeft: async (userId) => {
      const [row] = await database.query<{ left: number }>(
        `select count(*)::int as "left" from backup_codes where user_id = $1 and used_at is null`,
        [userId],
      );
      return row?.left ?? 0;
    },
    addChallenge: async (hash, { userId, kind }, expiresAtMs) => {
      await database.query("insert into sign_in_challenges (hash, user_id, kind, expires_at) values ($1, $2, $3, $4)", [
        Buffer.from(hash),
        userId,
        kind,
        new Date(expiresAtMs),
      ]);
    },
    findChallenge: async (hash, atMs) => {
      const [row] = await database.query(
        `select user_id as "userId", kind from sign_in_challenges where hash = $1 and expires_at > $2`,
        [Buffer.from(hash), new Date(atMs)],
      );
      return row === undefined ? undefined : challenge.parse(row);
    },
    takeChallenge: (hash) =>
      affects("delete from sign_in_challenges where hash = $1 returning hash", [Buffer.from(hash)]),
    pruneChallenges: async (atMs) => {
      await database.query("delete from sign_in_challenges where expires_at < $1", [new Date(atMs)]);
    },
    removeChallenges: async (userId) => {
      await database.query("delete from sign_in_challenges where user_id = $1", [userId]);
    },
  };
}
