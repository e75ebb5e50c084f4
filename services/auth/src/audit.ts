import type { LogActionName } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import type { Database, Queryable } from "@vitrine/kit/postgres";
import { type AuditRow, chainStart, contentOf, hashRow } from "./audit-chain.ts";
import { type AuditSearch, searchAudit } from "./audit-search.ts";
import type { Caller } from "./caller.ts";

/** Names of the OWASP logging vocabulary, and ours where it has none. */
export type AuditEvent = Extract<LogActionName, `${"authn" | "authz" | "excess" | "session" | "user"}_${string}`>;

/** A security event. Ids, never names, addresses, passwords, codes or tokens: what is stored here is stored for good. */
export interface AuditEntry {
  readonly event: AuditEvent;
  readonly outcome: "success" | "failure";
  /** What was done or tried, from a closed set: `login`, `ingest_key_create`. */
  readonly action: string;
  /** Id of the person or client that did it; absent when that is not known. */
  readonly actor?: string | undefined;
  /** Id of what it was done to, where that is not the actor. */
  readonly target?: string | undefined;
  /** From a closed set. */
  readonly reason?: string | undefined;
  readonly session?: string | undefined;
  readonly client?: string | undefined;
  /** Needs somebody's attention at once. */
  readonly critical?: boolean;
}

export type Note = (entry: AuditEntry) => void;

export interface Audit {
  /**
   * Runs `work` in a transaction and stores what it notes as the last act of it: both happen or neither. The lines of
   * the log follow the commit. @throws ServiceError `unavailable`, and whatever `work` throws; then nothing is stored
   */
  transaction<T>(caller: Caller, work: (tx: Queryable, note: Note) => Promise<T>): Promise<T>;
  /** Stores what no transaction belongs to, a refusal above all. @throws ServiceError `unavailable` */
  record(caller: Caller, ...entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first. */
  page(search: AuditSearch): Promise<readonly AuditRow[]>;
}

export interface AuditOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createAudit({ database, logger, now }: AuditOptions): Audit {
  async function transaction<T>(caller: Caller, work: (tx: Queryable, note: Note) => Promise<T>): Promise<T> {
    const noted: AuditEntry[] = [];
    const result = await database.transaction(async (tx) => {
      const done = await work(tx, (entry) => noted.push(entry));
      await append(tx, caller, noted, now());
      return done;
    });
    for (const entry of noted) log(logger, caller, entry);
    return result;
  }

  return {
    transaction,
    record: (caller, ...entries) =>
      transaction(caller, async (_, note) => {
        for (const entry of entries) note(entry);
      }),
    page: (search) => searchAudit(database, search),
  };
}

/** Holds the lock until the commit, so that the chain has one order: nothing may wait for another lock after it. */
async function append(tx: Queryable, caller: Caller, entries: readonly AuditEntry[], atMs: number): Promise<void> {
  if (entries.length === 0) return;
  await tx.query("select pg_advisory_xact_lock(hashtext('vitrine auth audit'), hashtext(current_schema()::text))");
  const [last] = await tx.query<{ seq: string; hash: Uint8Array }>(
    "select seq, hash from audit_log order by seq desc limit 1",
  );
  let seq = Number(last?.seq ?? 0);
  let previousHash = last?.hash ?? chainStart;
  for (const entry of entries) {
    seq += 1;
    const row = toRow(seq, entry, caller, atMs);
    const hash = hashRow(previousHash, row);
    await insert(tx, row, previousHash, hash);
    previousHash = hash;
  }
}

function toRow(seq: number, entry: AuditEntry, caller: Caller, atMs: number): AuditRow {
  return {
    seq,
    at: new Date(atMs).toISOString(),
    event: entry.event,
    outcome: entry.outcome,
    action: entry.action,
    actor: entry.actor ?? null,
    target: entry.target ?? null,
    reason: entry.reason ?? null,
    requestId: caller.requestId ?? null,
    address: caller.maskedAddress ?? null,
    userAgent: caller.userAgent ?? null,
    sessionId: entry.session ?? null,
    clientId: entry.client ?? null,
  };
}

async function insert(tx: Queryable, row: AuditRow, previousHash: Uint8Array, hash: Uint8Array): Promise<void> {
  await tx.query(
    `insert into audit_log (seq, at, event, outcome, action, actor, target, reason, request_id, address, user_agent,
                            session_id, client_id, previous_hash, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [...contentOf(row), Buffer.from(previousHash), Buffer.from(hash)],
  );
}

function log(logger: Logger, caller: Caller, entry: AuditEntry): void {
  const { event, outcome, action, actor, target, reason, session, client, critical } = entry;
  const fields = {
    action: event,
    user: actor,
    extra: {
      outcome,
      method: action,
      target: target ?? null,
      reason: reason ?? null,
      session_id: session ?? null,
      client_id: client ?? null,
      client_address: caller.maskedAddress ?? null,
    },
  } as const;
  const message = `${action}: ${outcome}${reason === undefined ? "" : ` (${reason})`}`;
  if (critical === true) logger.error(fields, message);
  else if (outcome === "failure") logger.warn(fields, message);
  else logger.info(fields, message);
}
