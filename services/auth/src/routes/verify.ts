import type { AccessClaims } from "@vitrine/contracts/auth";
import { isScope } from "@vitrine/contracts/scopes";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireToken } from "@vitrine/kit/http/auth";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Keyring } from "@vitrine/kit/tokens/keyring";
import { Hono } from "hono";
import { noStore } from "./no-store.ts";

export interface VerifyRouteDeps {
  readonly verifier: TokenVerifier;
  readonly keyring: Keyring;
}

/**
 * Forward authentication for nginx, Traefik and Caddy: 200 with who it is, 401, or 403 where `scope` asks for more than
 * the token has. Only `Authorization` counts: what a proxy says in `X-Forwarded-*` anyone may have written.
 */
export function verifyRoutes({ verifier, keyring }: VerifyRouteDeps) {
  return new Hono<AppEnv>().use(noStore).get("/", requireToken(keyring.accept(verifier)), (c) => {
    const choices = (c.req.queries("scope") ?? []).map(parseScopes);
    const { claims } = c.var;
    const held = claims.scope.split(" ");
    if (choices.length > 0 && !choices.some((scopes) => scopes.every((scope) => held.includes(scope))))
      throw insufficientScope(choices);
    return c.body(null, 200, identityHeaders(claims));
  });
}

function parseScopes(text: string): readonly string[] {
  const scopes = text.split(" ").filter((scope) => scope !== "");
  if (scopes.length > 0 && scopes.every((scope) => isScope(scope))) return scopes;
  throw new ServiceError("invalid_request", "scope: names a scope that does not exist");
}

function insufficientScope(choices: readonly (readonly string[])[]): ServiceError {
  const wanted = choices.map((scopes) => scopes.join(" and ")).join(", or ");
  const scope = [...new Set(choices.flat())].join(" ");
  return new ServiceError("insufficient_scope", `the token needs the scope ${wanted}`, {
    reason: "insufficient_scope",
    headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

/** All of them on every answer, empty where there is nothing to say: a proxy that copies them overwrites a client's own. */
function identityHeaders(claims: AccessClaims): Record<string, string> {
  return {
    "x-auth-subject": claims.sub,
    "x-auth-client": claims.client_id,
    "x-auth-scope": claims.scope,
    "x-auth-role": claims.role ?? "",
    "x-auth-service": claims.service ?? "",
    "x-auth-service-prefix": claims.service_prefix ?? "",
    "x-auth-token-id": claims.jti,
    "x-auth-actor": claims.act?.sub ?? "",
  };
}
