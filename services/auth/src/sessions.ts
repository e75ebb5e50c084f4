import { createHash, randomBytes } from "node:crypto";
import type { User } from "@vitrine/contracts/auth";
import type { Queryable } from "@vitrine/kit/postgres";
import { accessTokenLifetimeMs } from "./access-tokens.ts";
import type { Audit, Note } from "./audit.ts";
import type { Caller } from "./caller.ts";
import type { Feed } from "./feed.ts";
import { revoke } from "./revocations.ts";
import { createSessionStore, type StoredSession } from "./store/sessions.ts";

export interface SessionLimits {
  /** A session nobody uses for so long is over. */
  readonly idleMs: number;
  /** However much it is used. */
  readonly maxMs: number;
}

export interface SessionDeps {
  readonly audit: Audit;
  readonly feed: Feed;
  readonly sessionLimits: SessionLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** A session and the one copy of the secret that carries it: a refresh token, or the handle in a cookie. */
export interface OpenSession {
  readonly session: Pick<StoredSession, "id" | "expiresAtMs">;
  readonly user: User;
  readonly secret: string;
}

const refreshTokenForm = /^vrt_[A-Za-z0-9_-]{43}$/;
const handleForm = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits (ASVS 7.2.3), so that a plain hash is enough to store them. */
function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function hashOf(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

export interface Opening {
  readonly kind: StoredSession["kind"];
  readonly provenTwice: boolean;
}

/** Begins a session under an id and a secret nobody had before (ASVS 7.2.4). */
export async function openSession(
  tx: Queryable,
  { sessionLimits, now, newId }: Pick<SessionDeps, "sessionLimits" | "now" | "newId">,
  user: User,
  caller: Caller,
  { kind, provenTwice }: Opening,
): Promise<OpenSession> {
  const store = createSessionStore(tx);
  const atMs = now();
  const id = newId();
  const expiresAtMs = atMs + sessionLimits.maxMs;
  const secret = kind === "token" ? `vrt_${newSecret()}` : newSecret();
  await store.add({
    id,
    userId: user.id,
    kind,
    handleHash: kind === "cookie" ? hashOf(secret) : undefined,
    atMs,
    idleExpiresAtMs: Math.min(atMs + sessionLimits.idleMs, expiresAtMs),
    expiresAtMs,
    provenTwice,
    address: caller.maskedAddress,
    userAgent: caller.userAgent,
  });
  if (kind === "token") await store.addToken(hashOf(secret), id, atMs);
  return { session: { id, expiresAtMs }, user, secret };
}

export type RefreshOutcome = OpenSession | "unknown" | "reused" | "over";

/** Throws where what is asked for may not be had: then the token is not used up. */
export type Permit = (user: User) => void;

/**
 * Exchanges a refresh token for its successor. A token that was used before ends the whole session, since one of its
 * two holders is a thief and nobody can say which (RFC 9700 §4.14.2): of two uses at once one gets the successor, and
 * finds the session over. Of a token that is `unknown` nothing is stored here.
 */
export async function refreshSession(
  deps: SessionDeps,
  token: string,
  caller: Caller,
  permit?: Permit,
): Promise<RefreshOutcome> {
  const outcome = await deps.audit.transaction(caller, async (tx, note) => {
    const store = createSessionStore(tx);
    const hash = hashOf(token);
    const found = refreshTokenForm.test(token) ? await store.lockByToken(hash) : undefined;
    if (found === undefined) return "unknown";
    const { session, used } = found;
    const about = { actor: session.user.id, session: session.id } as const;
    if (used) {
      await endSessions(tx, deps.now(), session.user.id, { only: session.id }, "token_reuse");
      const reason = "token_reuse";
      note({
        event: "authn_token_reuse",
        outcome: "failure",
        action: "refresh_token",
        reason,
        critical: true,
        ...about,
      });
      return "reused";
    }
    if (!isLive(session, deps.now())) {
      note({ event: "session_use_after_expire", outcome: "failure", action: "refresh_token", ...about });
      return "over";
    }
    permit?.(session.user);
    const successor = `vrt_${newSecret()}`;
    await store.useToken(hash, deps.now());
    await store.addToken(hashOf(successor), session.id, deps.now());
    await touch(tx, deps, session);
    note({ event: "session_renewed", outcome: "success", action: "refresh_token", ...about });
    return { session, user: session.user, secret: successor };
  });
  if (outcome === "reused") await deps.feed.catchUp();
  return outcome;
}

/** The live session a browser's handle belongs to; using it keeps it from growing idle. */
export async function sessionOfHandle(
  database: Queryable,
  deps: Pick<SessionDeps, "sessionLimits" | "now">,
  handle: string,
): Promise<StoredSession | undefined> {
  if (!handleForm.test(handle)) return undefined;
  const session = await createSessionStore(database).findByHandle(hashOf(handle));
  if (session === undefined || !isLive(session, deps.now())) return undefined;
  await touch(database, deps, session);
  return session;
}

async function touch(
  database: Queryable,
  { sessionLimits, now }: Pick<SessionDeps, "sessionLimits" | "now">,
  session: StoredSession,
): Promise<void> {
  const idleExpiresAtMs = Math.min(now() + sessionLimits.idleMs, session.expiresAtMs);
  await createSessionStore(database).touch(session.id, now(), idleExpiresAtMs);
}

/** Neither ended nor past one of its limits, and the person may still sign in. */
export function isLive(session: StoredSession, atMs: number): boolean {
  const { ended, user, idleExpiresAtMs, expiresAtMs } = session;
  return !ended && !user.disabled && atMs < idleExpiresAtMs && atMs < expiresAtMs;
}

/**
 * Ends sessions of a person and every access token issued for them, as part of the caller's transaction; the caller
 * has the feed catch up after the commit. Returns the ids of those that were not over.
 */
export async function endSessions(
  tx: Queryable,
  atMs: number,
  userId: string,
  which: { readonly only?: string; readonly except?: string },
  reason: string,
): Promise<readonly string[]> {
  const ended = await createSessionStore(tx).end(userId, which, { atMs, reason });
  for (const id of ended) await revoke(tx, { kind: "session", id, atMs, expiresAtMs: atMs + accessTokenLifetimeMs });
  return ended;
}

/** Ends sessions at the wish of their owner, and says so in the audit log; returns how many were not over. */
export async function endOwnSessions(
  deps: Pick<SessionDeps, "audit" | "feed" | "now">,
  current: StoredSession,
  caller: Caller,
  which: { readonly only?: string; readonly except?: string },
): Promise<number> {
  const userId = current.user.id;
  const ended = await deps.audit.transaction(caller, async (tx, note) => {
    const ids = await endSessions(tx, deps.now(), userId, which, "owner");
    noteEnded(note, ids, current);
    return ids;
  });
  if (ended.length > 0) await deps.feed.catchUp();
  return ended.length;
}

/** Whether a text is meant to be a refresh token; neither an access token nor an ingest key looks like one. */
export function isRefreshToken(text: string): boolean {
  return text.startsWith("vrt_");
}

/**
 * Ends the session a refresh token was given out for, with every token of it (RFC 7009 §2.1), whoever sends it: to hold
 * it is all the proof there is. One that was used already will do, and of one nobody was given nothing is told.
 */
export async function revokeRefreshToken(
  deps: Pick<SessionDeps, "audit" | "feed" | "now"> & { readonly database: Queryable },
  token: string,
  caller: Caller,
): Promise<void> {
  if (!refreshTokenForm.test(token)) return;
  const session = await createSessionStore(deps.database).findByToken(hashOf(token));
  if (session !== undefined) await endOwnSessions(deps, session, caller, { only: session.id });
}

function noteEnded(note: Note, ids: readonly string[], current: StoredSession): void {
  for (const id of ids) {
    const own = id === current.id;
    note({
      event: own ? "session_logout" : "session_expired",
      outcome: "success",
      action: own ? "logout" : "session_end",
      actor: current.user.id,
      session: current.id,
      ...(own ? {} : { target: id, reason: "owner" }),
    });
  }
}
