import type { AccessClaims, TokenResponse, User } from "@vitrine/contracts/auth";
import type { Scope } from "@vitrine/contracts/scopes";
import { SignJWT } from "jose";
import type { KeyRing } from "./key-ring.ts";
import type { Client } from "./store/clients.ts";

/** `client_id` of tokens people get by signing in at Vitrine itself; no OAuth client may have it. */
export const ownClientId = "vitrine";

/** Seconds. Short, since a token that was issued is good until it expires (RFC 9700 §2.2.1). */
const accessTokenLifetimeSeconds = 900;

/** For how long what was issued last may have to be refused, with the leeway of verifiers. */
export const accessTokenLifetimeMs = (accessTokenLifetimeSeconds + 60) * 1_000;

/** The session a token belongs to: it ends with it. */
export interface TokenSession {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface AccessTokens {
  forPerson(user: User, scopes: readonly Scope[], session: TokenSession): Promise<TokenResponse>;
  /** Client credentials: the client is the subject (RFC 9068 §2.2). */
  forClient(client: Client, scopes: readonly Scope[]): Promise<TokenResponse>;
  /** `client` acts for `user`, and the token says so (RFC 8693 §4.1). */
  forImpersonation(client: Client, user: User, scopes: readonly Scope[]): Promise<TokenResponse>;
}

export interface AccessTokenOptions {
  readonly keys: KeyRing;
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds a session lives without use; it is in use when a token of it is issued, and no token outlives it. */
  readonly sessionIdleMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

type Grant = Pick<AccessClaims, "sub" | "client_id" | "service" | "role" | "act" | "sid">;

/** Issues access tokens of the JWT profile (RFC 9068), signed with Ed25519. */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { keys, issuer, audience, sessionIdleMs, now, newId } = options;
  async function issue(grant: Grant, scopes: readonly Scope[], endsAtMs = Infinity): Promise<TokenResponse> {
    const issuedAt = Math.floor(now() / 1_000);
    const lifetime = Math.max(Math.min(accessTokenLifetimeSeconds, Math.floor(endsAtMs / 1_000) - issuedAt), 1);
    const scope = scopes.join(" ");
    const claims: AccessClaims = {
      ...grant,
      iss: issuer,
      aud: audience,
      iat: issuedAt,
      exp: issuedAt + lifetime,
      jti: newId(),
      scope,
    };
    const { kid, privateKey } = await keys.signingKey();
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid }).sign(privateKey);
    return { access_token: token, token_type: "Bearer", expires_in: lifetime, scope };
  }

  return {
    forPerson: (user, scopes, { id, expiresAtMs }) =>
      issue(
        { sub: user.id, client_id: ownClientId, role: user.role, sid: id },
        scopes,
        Math.min(expiresAtMs, now() + sessionIdleMs),
      ),
    forClient: ({ clientId, service }, scopes) =>
      issue({ sub: clientId, client_id: clientId, ...(service === undefined ? {} : { service }) }, scopes),
    forImpersonation: ({ clientId }, user, scopes) =>
      issue({ sub: user.id, client_id: clientId, role: user.role, act: { sub: clientId } }, scopes),
  };
}
