import type { TokenResponse, User } from "@vitrine/contracts/auth";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import { type AccessTokens, ownClientId } from "./access-tokens.ts";
import type { Caller } from "./caller.ts";
import { OAuthError } from "./oauth-error.ts";
import { type RenewDeps, renewSession } from "./renew-session.ts";
import { grantScopes } from "./scope-request.ts";
import { requireParameter, type TokenForm } from "./token-form.ts";

export interface RefreshGrantDeps extends RenewDeps {
  readonly accessTokens: AccessTokens;
}

/**
 * Renews the session of a person (RFC 6749 §6). People sign in at Vitrine itself, which is no client with a secret: the
 * token is all the proof there is, which is why it is good for one use. @throws OAuthError
 */
export async function grantRenewal(deps: RefreshGrantDeps, form: TokenForm, caller: Caller): Promise<TokenResponse> {
  const token = requireParameter(form, "refresh_token");
  if ((form.get("client_id") ?? ownClientId) !== ownClientId)
    throw new OAuthError("invalid_grant", "the refresh token was issued to another client");
  const scopesOf = ({ role }: User) => grantScopes(form.get("scope"), scopesOfRole[role]);
  const renewed = await renewSession(deps, token, caller, scopesOf);
  if (renewed === undefined) throw new OAuthError("invalid_grant", "the refresh token is not valid any more");
  const { user, session, secret } = renewed;
  return { ...(await deps.accessTokens.forPerson(user, scopesOf(user), session)), refresh_token: secret };
}
