import { createHash } from "node:crypto";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

const text = z.string().nullable();

export const auditRow = z.object({
  /** Counts from 1 without a gap. */
  seq: z.coerce.number().int(),
  at: z.date().transform((date) => date.toISOString()),
  event: z.string(),
  outcome: z.enum(["success", "failure"]),
  action: z.string(),
  actor: text,
  target: text,
  reason: text,
  requestId: text,
  address: text,
  userAgent: text,
  sessionId: text,
  clientId: text,
});

export type AuditRow = z.infer<typeof auditRow>;

const chainedRow = auditRow.extend({ previousHash: z.instanceof(Uint8Array), hash: z.instanceof(Uint8Array) });

export const auditColumns = `seq, at, event, outcome, action, actor, target, reason, request_id as "requestId", address,
  user_agent as "userAgent", session_id as "sessionId", client_id as "clientId"`;

/** What the first row follows. */
export const chainStart: Uint8Array = new Uint8Array(32);

/** What a row says, in the order of its columns; the chain and the table read it alike. */
export function contentOf(row: AuditRow): readonly (string | number | null)[] {
  return [
    row.seq,
    row.at,
    row.event,
    row.outcome,
    row.action,
    row.actor,
    row.target,
    row.reason,
    row.requestId,
    row.address,
    row.userAgent,
    row.sessionId,
    row.clientId,
  ];
}

/** SHA-256 over the hash before and the row as a JSON array in a fixed order: no two rows have one text. */
export function hashRow(previousHash: Uint8Array, row: AuditRow): Uint8Array {
  return createHash("sha256")
    .update(previousHash)
    .update(JSON.stringify(contentOf(row)))
    .digest();
}

export interface ChainReport {
  /** Rows that hold, from the first on. */
  readonly rows: number;
  /** Hash of the last row that holds, in hex: kept elsewhere, it shows a chain that was cut short or made anew. */
  readonly head: string;
  /** `seq` of the first row that was altered, that lacks the one before it, or that was put in between. */
  readonly brokenAt: number | undefined;
  /** Hashes, in hex, of the rows asked for that are there and hold, by `seq`. */
  readonly hashes: ReadonlyMap<number, string>;
}

/** How the log ended at some time: a log that holds and does not hold this was cut short or made anew. */
export interface ChainHead {
  readonly rows: number;
  readonly head: string;
}

const batchSize = 1_000;

/**
 * Reads the whole log and names the first row that does not follow from those before it.
 * @param marks `seq` of rows whose hash is to be told
 */
export async function verifyChain(database: Queryable, marks: readonly number[] = []): Promise<ChainReport> {
  const hashes = new Map<number, string>();
  let head = chainStart;
  let rows = 0;
  for (;;) {
    const batch = await database.query(
      `select ${auditColumns}, previous_hash as "previousHash", hash from audit_log
       where seq > $1 order by seq limit ${batchSize}`,
      [rows],
    );
    for (const found of batch) {
      const row = chainedRow.parse(found);
      const holds =
        row.seq === rows + 1 && isSame(row.previousHash, head) && isSame(row.hash, hashRow(row.previousHash, row));
      if (!holds) return { rows, head: toHex(head), brokenAt: row.seq, hashes };
      head = row.hash;
      rows = row.seq;
      if (marks.includes(rows)) hashes.set(rows, toHex(head));
    }
    if (batch.length < batchSize) return { rows, head: toHex(head), brokenAt: undefined, hashes };
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
