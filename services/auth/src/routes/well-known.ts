import { grantTypes } from "@vitrine/contracts/auth";
import type { serverMetadata } from "@vitrine/contracts/oauth";
import { scopes } from "@vitrine/contracts/scopes";
import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import type { z } from "zod";
import { assertionAlgorithms } from "../client-assertions.ts";
import type { KeyRing } from "../key-ring.ts";

export interface WellKnownDeps {
  readonly keys: KeyRing;
  readonly issuer: string;
}

/** Seconds. Shorter than the time a new key is published before it signs. */
export const keySetMaxAgeSeconds = 300;

const cacheControl = `public, max-age=${keySetMaxAgeSeconds}`;

export function wellKnownRoutes({ keys, issuer }: WellKnownDeps) {
  return new Hono<AppEnv>()
    .get("/jwks.json", async (c) => c.json({ keys: await keys.publicKeys() }, 200, { "cache-control": cacheControl }))
    .get("/oauth-authorization-server", (c) => c.json(metadata(issuer), 200, { "cache-control": cacheControl }));
}

const authMethods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

/** Authorization server metadata (RFC 8414 §2); endpoints are the public ones, behind the gateway. */
function metadata(issuer: string): z.infer<typeof serverMetadata> {
  const at = (path: string) => new URL(path, issuer).href;
  const algorithms = [...assertionAlgorithms];
  return {
    issuer,
    token_endpoint: at("/oauth/token"),
    introspection_endpoint: at("/oauth/introspect"),
    revocation_endpoint: at("/oauth/revoke"),
    jwks_uri: at("/.well-known/jwks.json"),
    service_documentation: at("/api/auth/docs"),
    scopes_supported: [...scopes],
    response_types_supported: [],
    grant_types_supported: Object.values(grantTypes),
    token_endpoint_auth_methods_supported: authMethods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
  };
}
