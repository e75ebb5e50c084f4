import type { AccessClaims } from "@vitrine/contracts/auth";
import type { Scope } from "@vitrine/contracts/scopes";
import type { Context, MiddlewareHandler } from "hono";
import { currentRequest } from "../context.ts";
import { ServiceError } from "../errors.ts";
import type { TokenVerifier } from "../tokens/verifier.ts";
import type { AppEnv } from "./env.ts";

/** One token, one space, header only; two `Authorization` headers arrive joined by a comma and do not match. */
const bearerForm = /^Bearer ([A-Za-z0-9._-]+)$/i;

/**
 * The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
 * @throws ServiceError `unauthenticated` when there is none, `invalid_token` when it is not of that form
 */
export function bearerToken(header: string | undefined): string {
  if (header === undefined) {
    throw new ServiceError("unauthenticated", "send a token: Authorization: Bearer <token>", {
      reason: "missing_token",
      headers: { "www-authenticate": "Bearer" },
    });
  }
  const token = bearerForm.exec(header)?.[1];
  if (token === undefined) {
    throw new ServiceError("invalid_token", "the Authorization header must be: Bearer <token>", {
      reason: "malformed_token",
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    });
  }
  return token;
}

/** @throws ServiceError `insufficient_scope` (403, RFC 6750 §3.1) unless the token has one of `anyOf` */
export function checkScope(claims: AccessClaims, anyOf: readonly Scope[]): void {
  for (const scope of anyOf) if (hasScope(claims, scope)) return;
  throw new ServiceError("insufficient_scope", `the token needs the scope ${anyOf.join(" or ")}`, {
    reason: "insufficient_scope",
    headers: {
      "www-authenticate": `Bearer error="insufficient_scope", scope="${anyOf.join(" ")}"`,
    },
  });
}

/** By the claims of a token, which are one object for as long as it is known. */
const scopes = new WeakMap<AccessClaims, ReadonlySet<string>>();

export function hasScope(claims: AccessClaims, scope: Scope): boolean {
  let held = scopes.get(claims);
  if (held === undefined) scopes.set(claims, (held = new Set(claims.scope.split(" "))));
  return held.has(scope);
}

type AuthenticatedEnv = AppEnv & { Variables: { claims: AccessClaims } };

/** Requires a valid token of any scope, and keeps its claims in `c.var.claims`. */
export function requireToken(verifier: TokenVerifier): MiddlewareHandler<AuthenticatedEnv> {
  return async function authenticate(c, next) {
    await authenticateRequest(c, verifier);
    await next();
  };
}

/** Requires a valid token with one of the scopes, and keeps its claims in `c.var.claims`. */
export function requireScope(
  verifier: TokenVerifier,
  ...anyOf: readonly [Scope, ...Scope[]]
): MiddlewareHandler<AuthenticatedEnv> {
  return async function authorise(c, next) {
    checkScope(await authenticateRequest(c, verifier), anyOf);
    await next();
  };
}

async function authenticateRequest(c: Context<AuthenticatedEnv>, verifier: TokenVerifier): Promise<AccessClaims> {
  const claims = await verifier.verify(bearerToken(c.req.header("authorization")));
  c.set("claims", claims);
  const request = currentRequest();
  if (request !== undefined) request.user = claims.sub;
  return claims;
}
