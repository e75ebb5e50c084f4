import { z } from "zod";
import { roles } from "./scopes.ts";

/** Answer to a question about a token (RFC 7662 §2.2). Of one that is not good nothing is told but that. */
export const introspection = z.union([
  z.strictObject({ active: z.literal(false) }),
  z.strictObject({
    active: z.literal(true),
    token_type: z.enum(["Bearer", "ingest_key"]),
    scope: z.string(),
    client_id: z.string(),
    sub: z.string(),
    iss: z.string(),
    aud: z.union([z.string(), z.array(z.string())]),
    jti: z.string(),
    iat: z.int().optional(),
    exp: z.int().optional(),
    sid: z.string().optional(),
    role: z.enum(roles).optional(),
    service: z.string().optional(),
    service_prefix: z.string().optional(),
    act: z.object({ sub: z.string() }).optional(),
  }),
]);

export type Introspection = z.infer<typeof introspection>;

/** Authorization server metadata (RFC 8414 §2). */
export const serverMetadata = z.object({
  issuer: z.url(),
  token_endpoint: z.url(),
  introspection_endpoint: z.url(),
  revocation_endpoint: z.url(),
  jwks_uri: z.url(),
  service_documentation: z.url(),
  scopes_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
  introspection_endpoint_auth_methods_supported: z.array(z.string()),
  introspection_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
  revocation_endpoint_auth_methods_supported: z.array(z.string()),
  revocation_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
});

/** RFC 7517 §5 with the keys of RFC 8037. */
export const publicKeySet = z.object({
  keys: z.array(
    z.object({
      kty: z.literal("OKP"),
      crv: z.literal("Ed25519"),
      x: z.string(),
      kid: z.string(),
      use: z.literal("sig"),
      alg: z.literal("EdDSA"),
    }),
  ),
});
