import type { Database } from "@vitrine/kit/postgres";

export interface KeyedRequest {
  readonly customer: string;
  readonly key: string;
  /** Of method, path and body. */
  readonly fingerprint: string;
}

export type Claim =
  /** The request is the caller's to carry out, as the effect of this id. */
  | { readonly kind: "claimed"; readonly effectId: string }
  | { readonly kind: "answered"; readonly answer: unknown }
  | { readonly kind: "in_flight" }
  | { readonly kind: "conflict" };

export interface IdempotencyKeys {
  /**
   * Takes a request on, for at most `leaseMs`: after that, as when this process was killed, whoever brings it again
   * carries on with the same effect.
   */
  claim(request: KeyedRequest, effectId: string, leaseMs: number): Promise<Claim>;
  answer(request: KeyedRequest, answer: unknown): Promise<void>;
  /** Lets the request be brought again: with the same effect, or as a new one when the key is `spent`. */
  giveUp(request: KeyedRequest, spent: boolean): Promise<void>;
  /** Forgets keys older than `ageMs`, up to a thousand; false when there are none left. */
  forget(ageMs: number): Promise<boolean>;
}

const forgottenAtOnce = 1_000;

export function createIdempotencyKeys(database: Database): IdempotencyKeys {
  return {
    claim: async ({ customer, key, fingerprint }, effectId, leaseMs) => {
      const [mine] = await database.query<{ effect_id: string }>(
        `insert into idempotency_keys as k (customer, key, fingerprint, effect_id, locked_until)
         values ($1, $2, $3, $4, now() + $5::float8 * interval '1 millisecond')
         on conflict (customer, key) do update set locked_until = excluded.locked_until
           where k.answer is null and k.locked_until <= now() and k.fingerprint = excluded.fingerprint
         returning effect_id`,
        [customer, key, fingerprint, effectId, leaseMs],
      );
      if (mine !== undefined) return { kind: "claimed", effectId: mine.effect_id };
      const [known] = await database.query<{ fingerprint: string; answer: unknown }>(
        "select fingerprint, answer from idempotency_keys where customer = $1 and key = $2",
        [customer, key],
      );
      // Given up between the two statements: to be brought again.
      if (known === undefined) return { kind: "in_flight" };
      if (known.fingerprint !== fingerprint) return { kind: "conflict" };
      return known.answer === null ? { kind: "in_flight" } : { kind: "answered", answer: known.answer };
    },
    answer: async ({ customer, key, fingerprint }, answer) => {
      await database.query(
        `update idempotency_keys set answer = $4
         where customer = $1 and key = $2 and fingerprint = $3 and answer is null`,
        [customer, key, fingerprint, JSON.stringify(answer)],
      );
    },
    giveUp: async ({ customer, key, fingerprint }, spent) => {
      const mine = "where customer = $1 and key = $2 and fingerprint = $3 and answer is null";
      await database.query(
        spent ? `delete from idempotency_keys ${mine}` : `update idempotency_keys set locked_until = now() ${mine}`,
        [customer, key, fingerprint],
      );
    },
    forget: async (ageMs) => {
      const forgotten = await database.query(
        `delete from idempotency_keys where (customer, key) in (
           select customer, key from idempotency_keys
           where created_at < now() - $1::float8 * interval '1 millisecond' order by created_at limit $2)
         returning 1`,
        [ageMs, forgottenAtOnce],
      );
      return forgotten.length === forgottenAtOnce;
    },
  };
}
