import { timingSafeEqual } from "node:crypto";
import type { AccessClaims } from "@vitrine/contracts/auth";
import type { FeedAnswer, IngestKeyRecord, KeyUsage, RevocationKind } from "@vitrine/contracts/feed";
import { ServiceError } from "../errors.ts";
import { isIngestKey, parseIngestKey } from "./ingest-key.ts";
import { refused } from "./refusal.ts";
import type { TokenVerifier } from "./verifier.ts";

export interface KeyringOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Issuer and audience that the claims of an ingest key carry. Default `vitrine` for both. */
  readonly issuer?: string;
  readonly audience?: string;
}

/** What a verifier knows beside signatures: what was taken back, and the ingest keys that are good. */
export interface Keyring {
  /** Takes in an answer of the feed; give it to `followFeed`. */
  apply(answer: FeedAnswer): void;
  /** Whether the token was taken back, by its id, session, subject or client (RFC 7009) or with what signed it. */
  readonly isRevoked: (claims: AccessClaims, kid: string) => boolean;
  /**
   * The claims of an ingest key, as if it were a token: `client_id` names its holder, `jti` the key, `service` or
   * `service_prefix` what it may speak for. Works without the auth service once the first answer is there.
   * @throws ServiceError `invalid_token` with a `TokenRefusal` as reason; `unavailable` while an unknown key cannot be
   * told from one made a moment ago, because the feed is behind
   */
  identify(key: string): AccessClaims;
  /** A verifier that takes ingest keys beside tokens. */
  accept(verifier: TokenVerifier): TokenVerifier;
  /** Takes out which keys were used since it was last asked, at most 1,000. */
  takeUsage(): KeyUsage["keys"];
  /** Puts back what {@link takeUsage} took and could not be delivered. */
  returnUsage(keys: KeyUsage["keys"]): void;
  /** Milliseconds since the last answer; infinite before the first. */
  ageMs(): number;
  size(): { readonly revocations: number; readonly keys: number };
}

interface Entry {
  readonly atMs: number;
  readonly expiresAtMs: number;
}

type Denylist = Readonly<Record<RevocationKind, Map<string, Entry>>>;

/** Past this age of the last answer a key that is not known may simply be new. */
const staleMs = 30_000;
/** Verifiers accept a token a little past its time, so what is revoked is remembered longer than that. */
const marginMs = 60_000;
const sweepMs = 60_000;
const maxUsage = 1_000;

export function createKeyring(options: KeyringOptions = {}): Keyring {
  const { now = Date.now, issuer = "vitrine", audience = "vitrine" } = options;
  const denied: Denylist = {
    jti: new Map(),
    session: new Map(),
    user: new Map(),
    client: new Map(),
    ingest_key: new Map(),
    signing_key: new Map(),
  };
  const keys = new Map<string, HeldKey>();
  let used = new Map<string, number>();
  let answeredAt = Number.NEGATIVE_INFINITY;
  let sweptAt = now();

  function identify(text: string): AccessClaims {
    const presented = parseIngestKey(text);
    if (presented === undefined) throw refused("malformed_token");
    const held = keys.get(presented.id);
    if (held !== undefined && timingSafeEqual(held.hash, presented.hash)) {
      if (held.expiresAtMs <= now()) throw refused("expired");
      used.set(presented.id, now());
      return held.claims;
    }
    if (denied.ingest_key.has(presented.id)) throw refused("revoked");
    if (now() - answeredAt <= staleMs) throw refused("unknown_key");
    throw new ServiceError("unavailable", undefined, { reason: "cannot_verify", retryAfterSeconds: 2 });
  }

  return {
    apply: (answer) => {
      if (answer.snapshot) {
        for (const entries of Object.values(denied)) entries.clear();
        keys.clear();
      }
      for (const { kind, id, atMs, expiresAtMs } of answer.revocations) {
        deny(denied[kind], id, { atMs, expiresAtMs });
        if (kind === "ingest_key") keys.delete(id);
      }
      for (const record of answer.keys) {
        denied.ingest_key.delete(record.id);
        keys.set(record.id, toHeldKey(record, issuer, audience));
      }
      answeredAt = now();
      if (now() - sweptAt < sweepMs) return;
      sweptAt = now();
      sweep(denied, keys, now());
    },
    isRevoked: ({ jti, sid, sub, client_id, iat }, kid) => {
      const issuedAtMs = iat * 1_000;
      return (
        denied.signing_key.has(kid) ||
        denied.jti.has(jti) ||
        (sid !== undefined && denied.session.has(sid)) ||
        issuedAtMs <= (denied.user.get(sub)?.atMs ?? -1) ||
        issuedAtMs <= (denied.client.get(client_id)?.atMs ?? -1)
      );
    },
    identify,
    accept: (verifier) => ({
      verify: async (token) => (isIngestKey(token) ? identify(token) : await verifier.verify(token)),
      recall: (token) => verifier.recall?.(token),
      ready: () => verifier.ready(),
    }),
    takeUsage: () => {
      const taken = [...used].slice(0, maxUsage);
      used = new Map([...used].slice(maxUsage));
      return taken.map(([id, usedAtMs]) => ({ id, usedAtMs }));
    },
    returnUsage: (returned) => {
      for (const { id, usedAtMs } of returned) used.set(id, Math.max(usedAtMs, used.get(id) ?? 0));
    },
    ageMs: () => now() - answeredAt,
    size: () => ({
      revocations: Object.values(denied).reduce((sum, entries) => sum + entries.size, 0),
      keys: keys.size,
    }),
  };
}

interface HeldKey {
  readonly hash: Uint8Array;
  readonly expiresAtMs: number;
  readonly claims: AccessClaims;
}

/** Claims of a key never expire by themselves before the key does: nobody keeps them longer than one request. */
function toHeldKey(record: IngestKeyRecord, iss: string, aud: string): HeldKey {
  const expiresAtMs = record.expiresAtMs ?? Number.POSITIVE_INFINITY;
  const claims: AccessClaims = {
    iss,
    aud,
    sub: record.clientId,
    client_id: record.clientId,
    jti: record.id,
    iat: 0,
    exp: Math.floor(Math.min(expiresAtMs / 1_000, Number.MAX_SAFE_INTEGER)),
    scope: record.scopes.join(" "),
    ...(record.service === undefined ? {} : { service: record.service }),
    ...(record.servicePrefix === undefined ? {} : { service_prefix: record.servicePrefix }),
  };
  return { hash: Buffer.from(record.hash, "base64url"), expiresAtMs, claims: Object.freeze(claims) };
}

function deny(entries: Map<string, Entry>, id: string, { atMs, expiresAtMs }: Entry): void {
  const known = entries.get(id);
  entries.set(id, {
    atMs: Math.max(atMs, known?.atMs ?? atMs),
    expiresAtMs: Math.max(expiresAtMs, known?.expiresAtMs ?? expiresAtMs),
  });
}

function sweep(denied: Denylist, keys: Map<string, HeldKey>, nowMs: number): void {
  for (const entries of Object.values(denied)) {
    for (const [id, { expiresAtMs }] of entries) if (expiresAtMs + marginMs <= nowMs) entries.delete(id);
  }
  for (const [id, { expiresAtMs }] of keys) if (expiresAtMs + marginMs <= nowMs) keys.delete(id);
}
