/**
 * What can be taken back before it expires: one token, the tokens of a session (`sid`), all tokens a person (`sub`) or
 * an OAuth client (`client_id`) was issued so far, an ingest key.
 */
export const revocationKinds = ["jti", "session", "user", "client", "ingest_key"] as const;

export type RevocationKind = (typeof revocationKinds)[number];
