import { grantTypes } from "@vitrine/contracts/auth";
import { scopes } from "@vitrine/contracts/scopes";
import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import type { KeyRing } from "../key-ring.ts";

export interface WellKnownDeps {
  readonly keys: KeyRing;
  readonly issuer: string;
}

/** Shorter than the time a new key is published before it signs. */
const cacheControl = "public, max-age=300";

export function wellKnownRoutes({ keys, issuer }: WellKnownDeps) {
  return new Hono<AppEnv>()
    .get("/jwks.json", async (c) => c.json({ keys: await keys.publicKeys() }, 200, { "cache-control": cacheControl }))
    .get("/oauth-authorization-server", (c) => c.json(metadata(issuer), 200, { "cache-control": cacheControl }));
}

/** Authorization server metadata (RFC 8414 §2); endpoints are the public ones, behind the gateway. */
function metadata(issuer: string) {
  return {
    issuer,
    token_endpoint: new URL("/oauth/token", issuer).href,
    jwks_uri: new URL("/.well-known/jwks.json", issuer).href,
    scopes_supported: scopes,
    response_types_supported: [],
    grant_types_supported: Object.values(grantTypes),
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  };
}
