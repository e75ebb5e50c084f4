import { ServiceError } from "@vitrine/kit/errors";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";
import type { Limit } from "./people-events.ts";

/** How attempts of one kind grow slow. Times in milliseconds. */
export interface ThrottleRule {
  /** Attempts without a delay. */
  readonly free: number;
  /** Delay after the first attempt past those; each one after it doubles the delay. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** After so long without an attempt all is forgotten. */
  readonly forgetMs: number;
}

export interface Bucket {
  readonly key: Uint8Array;
  readonly kind: Limit;
  readonly rule: ThrottleRule;
}

/** An attempt comes too soon; `first` is true once for each delay, so that an event tells of it and no flood of them. */
export class ThrottledError extends ServiceError {
  readonly kind: Limit;
  readonly first: boolean;

  constructor(kind: Limit, first: boolean, waitMs: number) {
    super("rate_limited", "too many attempts: wait as long as Retry-After says", {
      reason: "throttled",
      retryAfterSeconds: Math.max(Math.ceil(waitMs / 1_000), 1),
    });
    this.kind = kind;
    this.first = first;
  }
}

export interface Throttle {
  /**
   * Counts an attempt in every bucket before it is judged, so that many at once are no way around, and returns how many
   * each has seen by now. @throws ThrottledError (429, Retry-After); then nothing is counted
   */
  take(buckets: readonly Bucket[]): Promise<readonly number[]>;
  /** The attempt was right: `reset` buckets start anew, the others forget this one attempt. */
  forgive(tx: Queryable, buckets: readonly Bucket[], reset: readonly Bucket[]): Promise<void>;
  prune(): Promise<void>;
}

const blockedRow = z.object({
  key: z.instanceof(Uint8Array),
  refused: z.number(),
  blockedUntilMs: z.coerce.number(),
});

/** Longer than any rule remembers. */
const keptMs = 2 * 86_400_000;

/** Throttling by growing delays (NIST SP 800-63B §5.2.2, ASVS 6.3.1), shared by all processes through PostgreSQL. */
export function createThrottle(database: Database, now: () => number): Throttle {
  async function refuseBlocked(buckets: readonly Bucket[]): Promise<void> {
    const rows = await database.query(
      `with blocked as (
         select key from throttles where key = any($1::bytea[]) and blocked_until_ms > $2 order by key for update
       )
       update throttles t set refused = refused + 1 from blocked where t.key = blocked.key
       returning t.key, refused, blocked_until_ms as "blockedUntilMs"`,
      [buckets.map(({ key }) => Buffer.from(key)), now()],
    );
    if (rows.length > 0)
      throw toError(
        rows.map((row) => blockedRow.parse(row)),
        buckets,
        now(),
      );
  }

  return {
    take: async (buckets) => {
      await refuseBlocked(buckets);
      const counts = await database
        .transaction(async (tx) => {
          const attempts = new Map<Bucket, number>();
          for (const bucket of inLockOrder(buckets)) {
            const count = await countAttempt(tx, bucket, now());
            if (count === undefined) throw new LostRace();
            attempts.set(bucket, count);
          }
          return buckets.map((bucket) => attempts.get(bucket) ?? 0);
        })
        .catch((error: unknown) => {
          if (error instanceof LostRace) return undefined;
          throw error;
        });
      if (counts !== undefined) return counts;
      // Another attempt came in between and started the delay.
      await refuseBlocked(buckets);
      throw new ServiceError("rate_limited", undefined, { reason: "throttled", retryAfterSeconds: 1 });
    },
    forgive: async (tx, buckets, reset) => {
      for (const bucket of inLockOrder(buckets)) {
        const key = Buffer.from(bucket.key);
        if (reset.includes(bucket)) await tx.query("delete from throttles where key = $1", [key]);
        else
          await tx.query(
            `update throttles set attempts = greatest(attempts - 1, 0), blocked_until_ms = least(blocked_until_ms, $2)
             where key = $1`,
            [key, now()],
          );
      }
    },
    prune: async () => {
      await database.query("delete from throttles where last_at_ms < $1", [now() - keptMs]);
    },
  };
}

/** One order for everyone who locks more than one: no two wait for each other. */
function inLockOrder(buckets: readonly Bucket[]): readonly Bucket[] {
  return buckets.toSorted((one, other) => Buffer.compare(one.key, other.key));
}

class LostRace extends Error {}

async function countAttempt(tx: Queryable, { key, rule }: Bucket, atMs: number): Promise<number | undefined> {
  const [row] = await tx.query<{ attempts: number }>(
    `insert into throttles as t (key, attempts, last_at_ms, blocked_until_ms) values ($1, 1, $2, 0)
     on conflict (key) do update set
       attempts = case when t.last_at_ms < $2 - $3::bigint then 1 else t.attempts + 1 end,
       last_at_ms = $2, refused = 0,
       blocked_until_ms = case
         when t.last_at_ms < $2 - $3::bigint or t.attempts < $4::int then 0
         else $2 + least($6::float8, $5::float8 * power(2, least(t.attempts - $4::int, 40)))::bigint end
     where t.blocked_until_ms <= $2 returning attempts`,
    [Buffer.from(key), atMs, rule.forgetMs, rule.free, rule.baseMs, rule.maxMs],
  );
  return row?.attempts;
}

function toError(
  rows: readonly z.infer<typeof blockedRow>[],
  buckets: readonly Bucket[],
  atMs: number,
): ThrottledError {
  const longest = rows.reduce((one, other) => (other.blockedUntilMs > one.blockedUntilMs ? other : one));
  const bucket = buckets.find(({ key }) => Buffer.compare(key, longest.key) === 0);
  return new ThrottledError(bucket?.kind ?? "address", longest.refused === 1, longest.blockedUntilMs - atMs);
}
