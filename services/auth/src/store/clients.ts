import { isScope, type Scope } from "@vitrine/contracts/scopes";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";
import { type ClientKeySet, clientKeySet } from "../client-assertions.ts";

export const clientIdForm = /^[a-z][a-z0-9-]{0,63}$/;

export interface Client {
  readonly clientId: string;
  /** The one service name its telemetry may be stamped with. */
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  /** May act for any person by token exchange. */
  readonly mayImpersonate: boolean;
}

/** It has a secret, keys of its own (private_key_jwt), or both. */
export interface StoredClient extends Client {
  readonly secretHash: Uint8Array | undefined;
  readonly jwks: ClientKeySet | undefined;
}

export interface ClientStore {
  find(clientId: string): Promise<StoredClient | undefined>;
  /** Adds the client or brings it up to date, and enables it. */
  putPreset(client: StoredClient): Promise<void>;
  /** Disables preset clients that are not among `clientIds`, and returns which. */
  disableOtherPresets(clientIds: readonly string[]): Promise<readonly string[]>;
}

const storedClient = z.object({
  clientId: z.string(),
  secretHash: z
    .instanceof(Uint8Array)
    .nullable()
    .transform((hash) => hash ?? undefined),
  jwks: clientKeySet.nullable().transform((jwks) => jwks ?? undefined),
  service: z
    .string()
    .nullish()
    .transform((service) => service ?? undefined),
  // A scope that was given up since it was stored is no longer granted.
  scopes: z.array(z.string()).transform((scopes) => scopes.filter(isScope)),
  mayImpersonate: z.boolean(),
});

export function createClientStore(database: Queryable): ClientStore {
  return {
    find: async (clientId) => {
      if (!clientIdForm.test(clientId)) return undefined;
      const [row] = await database.query(
        `select client_id as "clientId", secret_hash as "secretHash", jwks, service, scopes,
                may_impersonate as "mayImpersonate"
         from clients where client_id = $1 and disabled_at is null`,
        [clientId],
      );
      return row === undefined ? undefined : storedClient.parse(row);
    },
    putPreset: async ({ clientId, secretHash, jwks, service, scopes, mayImpersonate }) => {
      await database.query(
        `insert into clients (client_id, secret_hash, jwks, service, scopes, may_impersonate, preset)
         values ($1, $2, $3, $4, $5, $6, true)
         on conflict (client_id) do update set
           secret_hash = excluded.secret_hash, jwks = excluded.jwks, service = excluded.service, scopes = excluded.scopes,
           may_impersonate = excluded.may_impersonate, preset = true, updated_at = now(), disabled_at = null`,
        [
          clientId,
          secretHash === undefined ? null : Buffer.from(secretHash),
          jwks === undefined ? null : JSON.stringify(jwks),
          service ?? null,
          scopes,
          mayImpersonate,
        ],
      );
    },
    disableOtherPresets: async (clientIds) => {
      const rows = await database.query<{ client_id: string }>(
        `update clients set disabled_at = now(), updated_at = now()
         where preset and disabled_at is null and client_id <> all ($1) returning client_id`,
        [clientIds],
      );
      return rows.map((row) => row.client_id);
    },
  };
}
