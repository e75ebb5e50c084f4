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
  kind: z.enum(revocationKinds),
  id: z.string().min(1).max(128),
  atMs: epochMs,
  expiresAtMs: epochMs,
});

/** What an ingest key can be good for: it writes and never reads. */
export const ingestScopes = ["traces:write", "metrics:write", "logs:write"] as const;

export const ingestScope = z.enum(ingestScopes, { error: `is not one of ${ingestScopes.join(", ")}` });

export type IngestScope = z.infer<typeof ingestScope>;

export const ingestKeyId = z.string().regex(/^[0-9a-f]{16}$/, "16 hexadecimal digits");

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
  hash: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  clientId: z.string().min(1).max(128),
  scopes: z.array(ingestScope).min(1),
  service: serviceName.optional(),
  servicePrefix: servicePrefix.optional(),
  expiresAtMs: epochMs.optional(),
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
    .optional(),
  wait: z
    .string()
    .regex(/^\d{1,2}$/, `must be a whole number of seconds up to ${maxFeedWaitSeconds}`)
    .transform(Number)
    .pipe(z.int().max(maxFeedWaitSeconds))
    .default(0),
});

/** With `snapshot`, `keys` and `revocations` are all there are; else what is new, revocations to be applied first. */
export const feedAnswer = z.object({
  seq: z.int().nonnegative(),
  snapshot: z.boolean(),
  revocations: z.array(revocation),
  keys: z.array(ingestKeyRecord),
});

export type FeedAnswer = z.infer<typeof feedAnswer>;

/** When keys were last used, as a verifier saw it. */
export const keyUsage = z.strictObject({
  keys: z
    .array(z.strictObject({ id: ingestKeyId, usedAtMs: epochMs.max(8.64e15) }))
    .min(1)
    .max(1_000),
});

export type KeyUsage = z.infer<typeof keyUsage>;
