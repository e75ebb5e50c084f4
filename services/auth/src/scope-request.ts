import { isScope, type Scope } from "@vitrine/contracts/scopes";
import { OAuthError } from "./oauth-error.ts";

/**
 * What a `scope` parameter asks for, within what may be had; all of that when it asks for nothing (RFC 6749 §3.3).
 * @throws OAuthError `invalid_scope` for a scope that does not exist or may not be had
 */
export function grantScopes(requested: string | undefined, allowed: readonly Scope[]): readonly Scope[] {
  const wanted = new Set(requested?.split(" ").filter((scope) => scope !== ""));
  if (wanted.size === 0) return allowed;
  const granted = [...wanted].filter((scope) => isScope(scope)).filter((scope) => allowed.includes(scope));
  if (granted.length < wanted.size)
    throw new OAuthError("invalid_scope", "a scope that was asked for does not exist or may not be had");
  return granted;
}
