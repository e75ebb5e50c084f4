import type { AccessClaims } from "@vitrine/contracts/auth";
import type { Introspection } from "@vitrine/contracts/oauth";
import { ServiceError } from "@vitrine/kit/errors";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { isIngestKey } from "@vitrine/kit/tokens/ingest-key";
import type { Keyring } from "@vitrine/kit/tokens/keyring";
import type { Audit } from "./audit.ts";
import type { Caller } from "./caller.ts";
import type { Feed } from "./feed.ts";
import { revoke } from "./revocations.ts";
import type { Client } from "./store/clients.ts";

export interface TokenStateDeps {
  readonly verifier: TokenVerifier;
  readonly keyring: Keyring;
  readonly audit: Audit;
  readonly feed: Feed;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Verifiers elsewhere accept a token a little past its time. */
const leewayMs = 60_000;

/** What a token or an ingest key stands for (RFC 7662 §2.2). @throws ServiceError `unavailable` when it cannot be told */
export async function introspect(deps: TokenStateDeps, token: string): Promise<Introspection> {
  // What another process revoked a moment ago must not be called active here.
  await deps.feed.catchUp();
  const claims = await claimsOf(deps, token);
  if (claims === undefined) return { active: false };
  const { iat, exp, ...rest } = claims;
  // Verifiers elsewhere allow for clocks that differ; the clock that set the time is ours (RFC 7662 §4).
  if (!isIngestKey(token) && exp * 1_000 <= deps.now()) return { active: false };
  if (!isIngestKey(token)) return { active: true, token_type: "Bearer", ...rest, iat, exp };
  // A key without an end has none to tell, and when it was made is the administrators' to know.
  return { active: true, token_type: "ingest_key", ...rest, ...(exp === Number.MAX_SAFE_INTEGER ? {} : { exp }) };
}

/**
 * Takes back a token of the client's own (RFC 7009 §2.1). Any other text is none of its business, and it is not told
 * whether there is such a token.
 */
export async function revokeToken(deps: TokenStateDeps, client: Client, token: string, caller: Caller): Promise<void> {
  const claims = isIngestKey(token) ? undefined : await claimsOf(deps, token);
  if (claims === undefined) return;
  const { jti, exp, client_id } = claims;
  const entry = { action: "token_revoke", actor: client.clientId, client: client.clientId, target: jti } as const;
  if (client_id !== client.clientId) {
    await deps.audit.record(caller, { ...entry, event: "authz_fail", outcome: "failure", reason: "token_of_another" });
    return;
  }
  await deps.audit.transaction(caller, async (tx, note) => {
    await revoke(tx, { kind: "jti", id: jti, atMs: deps.now(), expiresAtMs: exp * 1_000 + leewayMs });
    note({ ...entry, event: "authn_token_revoked", outcome: "success" });
  });
  await deps.feed.catchUp();
}

async function claimsOf({ verifier, keyring }: TokenStateDeps, token: string): Promise<AccessClaims | undefined> {
  try {
    return await keyring.accept(verifier).verify(token);
  } catch (error) {
    if (error instanceof ServiceError && error.status === 401) return undefined;
    throw error;
  }
}
