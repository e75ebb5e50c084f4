import type { RevocationKind } from "@vitrine/contracts/feed";
import type { Queryable } from "@vitrine/kit/postgres";

export interface Revocation {
  readonly kind: RevocationKind;
  /** `jti` of a token, id of a session, of a person, of a client, of an ingest key or of a signing key (`kid`). */
  readonly id: string;
  /**
   * Milliseconds since the epoch. For `user` and `client`: tokens issued up to this time end. `iat` is in whole seconds,
   * so that a token issued later in the same second ends as well.
   */
  readonly atMs: number;
  /** Milliseconds since the epoch, from when on nothing that is taken back would be valid anyway. */
  readonly expiresAtMs: number;
}

/**
 * Takes an identity back as part of the caller's transaction: with its commit every process of this service and every
 * gateway that follows the feed knows, within a second. Revoking twice does no harm.
 *
 * @param tx the transaction in which the reason for it is stored, so that both happen or neither
 */
export async function revoke(tx: Queryable, revocation: Revocation): Promise<void> {
  await addFeedEntry(tx, revocation);
}

/** An entry of the feed; `ingest_key_added` makes followers fetch the key. */
export interface FeedEntry extends Omit<Revocation, "kind"> {
  readonly kind: RevocationKind | "ingest_key_added";
}

export async function addFeedEntry(tx: Queryable, { kind, id, atMs, expiresAtMs }: FeedEntry): Promise<void> {
  await tx.query("insert into feed_entries (kind, subject, at, expires_at) values ($1, $2, $3, $4)", [
    kind,
    id,
    new Date(atMs),
    new Date(expiresAtMs),
  ]);
}
