import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

/** RFC 8037 §2: the public half of an Ed25519 key, as it is published. */
const publicJwk = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  kid: z.string(),
  use: z.literal("sig"),
  alg: z.literal("EdDSA"),
});

export type PublicJwk = z.infer<typeof publicJwk>;

export interface StoredSigningKey {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  /** The private JWK, encrypted; see `seal.ts`. */
  readonly sealedPrivateJwk: Uint8Array;
  /** Milliseconds since the epoch: it signs from then on. */
  readonly notBeforeMs: number;
  /** Milliseconds since the epoch: from then on it is not published; its successor signs well before. */
  readonly retiredAtMs: number | undefined;
}

export interface SigningKeyStore {
  add(key: StoredSigningKey): Promise<void>;
  all(): Promise<readonly StoredSigningKey[]>;
  /** The key is published until `atMs`, or as long as it was going to be where that is shorter. */
  retire(kid: string, atMs: number): Promise<void>;
  /** Removes keys that were retired before `atMs`, the sealed private halves with them. */
  removeRetired(atMs: number): Promise<void>;
}

const row = z.object({
  kid: z.string(),
  publicJwk,
  sealedPrivateJwk: z.instanceof(Uint8Array),
  notBeforeMs: z.date().transform((date) => date.getTime()),
  retiredAtMs: z
    .date()
    .nullable()
    .transform((date) => date?.getTime()),
});

export function createSigningKeyStore(database: Queryable): SigningKeyStore {
  return {
    add: async ({ kid, publicJwk, sealedPrivateJwk, notBeforeMs, retiredAtMs }) => {
      await database.query(
        `insert into signing_keys (kid, public_jwk, sealed_private_jwk, not_before, retired_at)
         values ($1, $2, $3, $4, $5)`,
        [
          kid,
          JSON.stringify(publicJwk),
          Buffer.from(sealedPrivateJwk),
          new Date(notBeforeMs),
          retiredAtMs === undefined ? null : new Date(retiredAtMs),
        ],
      );
    },
    retire: async (kid, atMs) => {
      await database.query("update signing_keys set retired_at = least(retired_at, $2) where kid = $1", [
        kid,
        new Date(atMs),
      ]);
    },
    removeRetired: async (atMs) => {
      await database.query("delete from signing_keys where retired_at < $1", [new Date(atMs)]);
    },
    all: async () => {
      const rows = await database.query(
        `select kid, public_jwk as "publicJwk", sealed_private_jwk as "sealedPrivateJwk",
                not_before as "notBeforeMs", retired_at as "retiredAtMs"
         from signing_keys order by not_before desc, kid`,
      );
      return rows.map((found) => row.parse(found));
    },
  };
}
