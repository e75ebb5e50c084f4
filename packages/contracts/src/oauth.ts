import { z } from "zod";
import { roles } from "./scopes.ts";

/** Answer to a question about a token (RFC 7662 §2.2). Of one that is not good nothing is told but that. */
export const introspection = z.union([
  z.strictObject({ active: z.literal(false) }),
  z.strictObject({
    active: z.literal(true),
    token_type: z.enum(["Bearer", "ingest_key"]).describe("What it is."),
    scope: z.string().describe("What it is good for, separated by spaces."),
    client_id: z.string().describe("Client it was issued to."),
    sub: z.string().describe("Person, client or holder of the key."),
    iss: z.string().describe("Who issued it."),
    aud: z.union([z.string(), z.array(z.string())]).describe("Whom it is for."),
    jti: z.string().describe("Its id."),
    iat: z.int().optional().describe("Seconds since the epoch: issued then."),
    exp: z.int().optional().describe("Seconds since the epoch: no good from then on."),
    sid: z.string().optional().describe("Session it belongs to."),
    role: z.enum(roles).optional().describe("Role of a person."),
    service: z.string().optional().describe("Name telemetry is stamped with."),
    service_prefix: z.string().optional().describe("What the names begin with that an ingest key may speak for."),
    act: z
      .object({ sub: z.string().describe("Its id.") })
      .optional()
      .describe("Client that acts for the subject."),
  }),
]);

export type Introspection = z.infer<typeof introspection>;

const methods = z.array(z.string()).describe("How a client proves itself there.");
const algorithms = z.array(z.string()).describe("What a client may sign its proof with.");

/** Authorization server metadata (RFC 8414 §2). */
export const serverMetadata = z.object({
  issuer: z.url().describe("The `iss` of every token."),
  token_endpoint: z.url().describe("Where tokens are had."),
  introspection_endpoint: z.url().describe("Where is told what a token stands for (RFC 7662)."),
  revocation_endpoint: z.url().describe("Where a token is taken back (RFC 7009)."),
  jwks_uri: z.url().describe("The keys tokens are verified with."),
  service_documentation: z.url().describe("A page for people."),
  scopes_supported: z.array(z.string()).describe("Every scope there is."),
  response_types_supported: z.array(z.string()).describe("None: there is no authorization endpoint."),
  grant_types_supported: z.array(z.string()).describe("How a token is asked for."),
  token_endpoint_auth_methods_supported: methods,
  token_endpoint_auth_signing_alg_values_supported: algorithms,
  introspection_endpoint_auth_methods_supported: methods,
  introspection_endpoint_auth_signing_alg_values_supported: algorithms,
  revocation_endpoint_auth_methods_supported: methods,
  revocation_endpoint_auth_signing_alg_values_supported: algorithms,
});

/** RFC 7517 §5 with the keys of RFC 8037. */
export const publicKeySet = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal("OKP"),
        crv: z.literal("Ed25519"),
        x: z.string().describe("The public key in base64url."),
        kid: z.string().describe("Thumbprint of the key (RFC 7638)."),
        use: z.literal("sig"),
        alg: z.literal("EdDSA"),
      }),
    )
    .describe("Those that sign, signed lately, or will sign soon."),
});
