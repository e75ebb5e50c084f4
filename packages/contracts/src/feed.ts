import { z } from "zod";

/**
 * What can be taken back before it expires: one token, the tokens of a session (`sid`), all tokens a person (`sub`) or
 * an OAuth client (`client_id`) was issued so far, an ingest key, everything a signing key (`kid`) ever signed.
 */
export const revocationKinds = ["jti", "session", "user", "client", "ingest_key", "signing_key"] as const;

export type RevocationKind = (typeof revocationKinds)[number];

const epochMs = z.int().nonnegative();

/** `atMs`: for `user` and `client`, tokens issued up to then end. `expiresAtMs`: from then on it may be forgotten. */
export const revocation = z.object({
  kind: z.enum(revocationKinds).describe("What is taken back."),
  id: z.string().min(1).max(128).describe("Its `jti`, `sid`, `sub`, `client_id`, key id or `kid`."),
  atMs: epochMs.describe("Of a person or client the tokens end that were issued up to then."),
  expiresAtMs: epochMs.describe("From then on it may be forgotten."),
});

/** What an ingest key can be good for: it writes and never reads. */
export const ingestScopes = ["traces:write", "metrics:write", "logs:write"] as const;

export const ingestScope = z.enum(ingestScopes, { error: `is not one of ${ingestScopes.join(", ")}` });

export type IngestScope = z.infer<typeof ingestScope>;

export const ingestKeyId = z
  .string()
  .regex(/^[0-9a-f]{16}$/, "16 hexadecimal digits")
  .describe("Public part of an ingest key.");

/** The name telemetry is stamped with; safe in a header, in a label and in a path. */
export const serviceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$/, "letters, digits, dot, dash, underscore and slash, at most 127");

/** Ends with a separator, so that `shop-` never lets `shopping` through. */
export const servicePrefix = serviceName.regex(/[._/-]$/, "must end with . _ / or -");

/**
 * A live ingest key as verifiers hold it. `hash` is the SHA-256 of the whole key in base64url; exactly one of `service`
 * (the only name it may speak for) and `servicePrefix` is set.
 */
export const ingestKeyRecord = z.object({
  id: ingestKeyId,
  hash: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .describe("SHA-256 of the whole key in base64url."),
  clientId: z.string().min(1).max(128).describe("Whom quotas and dashboards count it as."),
  scopes: z.array(ingestScope).min(1).describe("What it may write."),
  service: serviceName.optional().describe("The one name it may speak for."),
  servicePrefix: servicePrefix.optional().describe("What the names begin with that it may speak for."),
  expiresAtMs: epochMs.optional().describe("From then on it is refused."),
});

export type IngestKeyRecord = z.infer<typeof ingestKeyRecord>;

/** Seconds one request for the feed may wait for news. */
export const maxFeedWaitSeconds = 25;

/** `after`: `seq` of the answer before; without it a snapshot is answered. `wait`: seconds to wait for news. */
export const feedQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,15}$/, "must be the seq of an answer")
    .transform(Number)
    .optional()
    .describe("`seq` of the answer before; without it everything live is answered."),
  wait: z
    .string()
    .regex(/^\d{1,2}$/, `must be a whole number of seconds up to ${maxFeedWaitSeconds}`)
    .transform(Number)
    .pipe(z.int().max(maxFeedWaitSeconds))
    .default(0)
    .describe("Seconds to wait for news."),
});

/** With `snapshot`, `keys` and `revocations` are all there are; else what is new, revocations to be applied first. */
export const feedAnswer = z.object({
  seq: z.int().nonnegative().describe("For the next request."),
  snapshot: z.boolean().describe("Whether this is all there is, or what is new."),
  revocations: z.array(revocation).describe("To be applied first."),
  keys: z.array(ingestKeyRecord).describe("Ingest keys that are good."),
});

export type FeedAnswer = z.infer<typeof feedAnswer>;

/** When keys were last used, as a verifier saw it. */
export const keyUsage = z.strictObject({
  keys: z
    .array(
      z.strictObject({ id: ingestKeyId, usedAtMs: epochMs.max(8.64e15).describe("Milliseconds since the epoch.") }),
    )
    .min(1)
    .max(1_000)
    .describe("Each once."),
});

export type KeyUsage = z.infer<typeof keyUsage>;
