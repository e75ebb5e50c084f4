import {
  accessTokenType,
  grantTypes,
  type TokenErrorCode,
  type TokenResponse,
  userNameTokenType,
} from "@vitrine/contracts/auth";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import type { AccessTokens } from "./access-tokens.ts";
import type { Caller } from "./caller.ts";
import { type ClientAuthenticationDeps, requireClient } from "./client-authentication.ts";
import { whyUnjudged } from "./attempt.ts";
import type { GrantMethod } from "./events.ts";
import { OAuthError } from "./oauth-error.ts";
import { grantScopes } from "./scope-request.ts";
import type { Client } from "./store/clients.ts";
import type { UserStore } from "./store/users.ts";
import { requireParameter, type TokenForm } from "./token-form.ts";

export interface GrantDeps extends ClientAuthenticationDeps {
  readonly users: UserStore;
  readonly accessTokens: AccessTokens;
  /** What our tokens are for; token exchange may name it and nothing else. */
  readonly audience: string;
}

interface Granted {
  readonly token: TokenResponse;
  readonly userId?: string;
}

const methods: ReadonlyMap<string, GrantMethod> = new Map([
  [grantTypes.clientCredentials, "client_credentials"],
  [grantTypes.tokenExchange, "token_exchange"],
]);

/** Refusals that say something about an identity; a request that is merely malformed is not an attempt. */
const refusals = {
  invalid_grant: "unknown_subject",
  invalid_scope: "invalid_scope",
  unauthorized_client: "unauthorized_client",
} as const satisfies Partial<Record<TokenErrorCode, string>>;

/** Answers a token request (RFC 6749 §4.4, RFC 8693). @throws OAuthError; ThrottledError */
export async function grantToken(
  deps: GrantDeps,
  form: TokenForm,
  authorization: string | undefined,
  caller: Caller,
): Promise<TokenResponse> {
  const method = methods.get(requireParameter(form, "grant_type"));
  if (method === undefined) throw new OAuthError("unsupported_grant_type", "this grant type is not offered");
  let clientId: string | undefined;
  try {
    const client = await requireClient(deps, authorization, form, caller, method);
    clientId = client.clientId;
    const granted = await grants[method](deps, client, form);
    const issued = {
      event: "authn_token_created",
      outcome: "success",
      action: method,
      target: granted.userId,
    } as const;
    // Before it is handed out: a token that is in no record is in nobody's hands.
    await deps.audit.record(caller, { ...issued, actor: clientId, client: clientId });
    deps.events.tokenIssued(method);
    return granted.token;
  } catch (error) {
    const unjudged = whyUnjudged(error);
    if (unjudged !== undefined) deps.events.tokenRefused(method, unjudged);
    if (error instanceof OAuthError && error.code in refusals) {
      const reason = refusals[error.code as keyof typeof refusals];
      deps.events.tokenRefused(method, reason);
      const refused = { event: "authz_fail", outcome: "failure", action: method, reason } as const;
      await deps.audit.record(caller, { ...refused, actor: clientId, client: clientId });
    }
    throw error;
  }
}

const grants: Readonly<Record<GrantMethod, typeof grantToClient>> = {
  client_credentials: grantToClient,
  token_exchange: grantImpersonation,
};

async function grantToClient({ accessTokens }: GrantDeps, client: Client, form: TokenForm): Promise<Granted> {
  return { token: await accessTokens.forClient(client, grantScopes(form.get("scope"), client.scopes)) };
}

/** The person's role bounds the scopes, not the client's own: the client acts as that person. */
async function grantImpersonation(deps: GrantDeps, client: Client, form: TokenForm): Promise<Granted> {
  if (!client.mayImpersonate) throw new OAuthError("unauthorized_client", "the client may not act for others");
  const name = readSubject(form, deps.audience);
  const user = await deps.users.findByName(name);
  if (user === undefined) throw new OAuthError("invalid_grant", "there is no such person");
  const scopes = grantScopes(form.get("scope"), scopesOfRole[user.role]);
  const token = await deps.accessTokens.forImpersonation(client, user, scopes);
  return { token: { ...token, issued_token_type: accessTokenType }, userId: user.id };
}

/** The parameters of RFC 8693 §2.1: what would change the meaning of the token and is not offered is refused. */
function readSubject(form: TokenForm, audience: string): string {
  const subject = requireParameter(form, "subject_token");
  if (requireParameter(form, "subject_token_type") !== userNameTokenType)
    throw new OAuthError("invalid_request", `the subject_token_type must be ${userNameTokenType}`);
  if ((form.get("requested_token_type") ?? accessTokenType) !== accessTokenType)
    throw new OAuthError("invalid_request", `the requested_token_type must be ${accessTokenType}`);
  if (form.has("actor_token")) throw new OAuthError("invalid_request", "an actor_token is not supported");
  if (form.has("resource") || (form.get("audience") ?? audience) !== audience)
    throw new OAuthError("invalid_target", "tokens are issued for this platform only");
  return subject;
}
