import { z } from "zod";
import { roles } from "./scopes.ts";

export const userName = z
  .string()
  .trim()
  .min(3)
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, "letters, digits, dot, dash and underscore only")
  .describe("Compared without case.");

/** 8 to 128 characters and no composition rules (NIST SP 800-63B §5.1.1.2, ASVS 6.2.1 and 6.2.5). */
export const newPassword = z
  .string()
  .min(8)
  .max(128)
  .describe("Any characters; those that are guessed first are refused.");

export const registration = z.strictObject({
  name: userName,
  password: newPassword,
});

/** A sign-in takes any text: rules for new passwords must not lock out older ones. */
export const credentials = z.strictObject({
  name: z.string().min(1).max(64).describe("Compared without case."),
  password: z.string().min(1).max(128).describe("As it was chosen."),
  session: z
    .enum(["token", "cookie"])
    .optional()
    .describe("`cookie`: the session is kept by the browser, and no token is in the answer. Default `token`."),
});

export const user = z.object({
  id: z.string().describe("UUID; stays the same under another name or role."),
  name: z.string().describe("As it was registered."),
  role: z.enum(roles).describe("Decides which scopes tokens of this person may have."),
});

export type User = z.infer<typeof user>;

/** Answer of the token endpoint (RFC 6749 §5.1); `expires_in` is in seconds. */
export const tokenResponse = z.object({
  access_token: z.string().describe("JWT of RFC 9068, signed with Ed25519."),
  token_type: z.literal("Bearer"),
  expires_in: z.int().positive().describe("Seconds."),
  scope: z.string().describe("Scopes the token has, separated by spaces."),
  issued_token_type: z.string().optional().describe("With token exchange only (RFC 8693 §2.2.1)."),
  refresh_token: z.string().optional().describe("Good for one use; used twice it ends the session (RFC 6749 §6)."),
});

export type TokenResponse = z.infer<typeof tokenResponse>;

/** Error of the token endpoint (RFC 6749 §5.2, RFC 8693 §2.2.2). */
export const tokenError = z.object({
  error: z
    .enum([
      "invalid_request",
      "invalid_client",
      "invalid_grant",
      "unauthorized_client",
      "unsupported_grant_type",
      "invalid_scope",
      /** RFC 8693 §2.2.2: the audience or resource asked for is not one of ours. */
      "invalid_target",
      "temporarily_unavailable",
      "server_error",
    ])
    .describe("Code of RFC 6749 §5.2 or RFC 8693 §2.2.2."),
  error_description: z.string().optional().describe("What is wrong, for a developer."),
});

export type TokenErrorCode = z.infer<typeof tokenError>["error"];

export const grantTypes = {
  clientCredentials: "client_credentials",
  refreshToken: "refresh_token",
  tokenExchange: "urn:ietf:params:oauth:grant-type:token-exchange",
} as const;

/** RFC 7523 §2.2: a client proves itself by a JWT it signed. */
export const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** RFC 8693 §3: what token exchange issues, and the only type that may be asked for. */
export const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";

/** Subject token type of our token exchange: the bare name of a person, for clients trusted to act for anyone. */
export const userNameTokenType = "urn:vitrine:params:oauth:token-type:username";

/**
 * Claims of an access token (RFC 9068 §2.2). `service` is the one name a service client may stamp on telemetry,
 * `role` is set for people, `act` names the client that acts for the subject (RFC 8693 §4.1), `sid` is the
 * session a person's token belongs to: when that ends, so does the token. `service_prefix` stands for the names an
 * ingest key may stamp, where it is not one `service`; no token carries it.
 */
export const accessClaims = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(128),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.int(),
  iat: z.int(),
  jti: z.string().min(1).max(128),
  scope: z.string().max(2048),
  client_id: z.string().min(1).max(128),
  service: z.string().min(1).max(128).optional(),
  role: z.enum(roles).optional(),
  act: z.object({ sub: z.string() }).optional(),
  sid: z.string().min(1).max(128).optional(),
  service_prefix: z.string().min(1).max(128).optional(),
});

export type AccessClaims = z.infer<typeof accessClaims>;
