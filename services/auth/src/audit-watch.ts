import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import type { Database } from "@vitrine/kit/postgres";
import { counter, observe } from "@vitrine/kit/telemetry";
import { repeated, type Repeated } from "./repeated.ts";
import { type ChainHead, type ChainReport, verifyChain } from "./audit-chain.ts";

export interface AuditWatchOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** Between two checks; 0 for none but those that are asked for. */
  readonly everyMs: number;
}

export interface AuditCheck extends ChainHead {
  /** First row that does not hold; undefined while all do. */
  readonly brokenAt: number | undefined;
  /** Whether the log still holds the head that was asked about; undefined where none was. */
  readonly follows: boolean | undefined;
}

export interface AuditWatch extends Repeated {
  /** Checks the log now, and tells of it. @throws ServiceError `unavailable` */
  check(asked?: ChainHead): Promise<AuditCheck>;
}

/**
 * Checks the audit log on its own, by metric and, once a row does not hold, as an event for somebody's attention. The
 * head of each check is logged and kept until the next, so that a log that was cut short since then shows as well.
 */
export function createAuditWatch({ database, logger, everyMs }: AuditWatchOptions): AuditWatch {
  const checks = counter(metrics.authAuditChainChecks);
  let intact: boolean | undefined;
  let last: ChainHead | undefined;

  observe(metrics.authAuditChainIntact, (report) => {
    if (intact !== undefined) report(intact ? 1 : 0);
  });

  async function check(asked?: ChainHead): Promise<AuditCheck> {
    const before = last;
    const heads = [before, asked].filter((one) => one !== undefined);
    const report = await verifyChain(
      database,
      heads.map(({ rows }) => rows),
    );
    const { rows, head } = report;
    const brokenAt =
      report.brokenAt ?? (before === undefined || holds(report, before) ? undefined : lostAt(rows, before));
    intact = brokenAt === undefined;
    checks.add(1, { outcome: intact ? "intact" : "broken" });
    if (brokenAt === undefined) {
      if (last === before) last = { rows, head };
      logger.info({ action: "auth.audit_chain_checked", extra: { rows, head } }, `${rows} rows of the audit log hold`);
    } else {
      const extra = { broken_at: brokenAt, rows, head };
      logger.error({ action: "auth.audit_chain_broken", extra }, `the audit log does not hold from row ${brokenAt} on`);
    }
    return { rows, head, brokenAt, follows: asked && brokenAt === undefined && holds(report, asked) };
  }

  async function keepChecking(): Promise<void> {
    try {
      await check();
    } catch (err) {
      checks.add(1, { outcome: "failed" });
      logger.warn({ action: "auth.audit_chain_checked", err }, "the audit log could not be read to its end");
    }
  }

  const rounds = repeated(keepChecking, everyMs);
  return {
    check,
    start: () => {
      if (everyMs > 0) rounds.start();
    },
    close: () => rounds.close(),
  };
}

function holds({ hashes }: ChainReport, { rows, head }: ChainHead): boolean {
  return rows === 0 || hashes.get(rows) === head;
}

/** Of a log that holds in itself: the first row that is gone, or else the last one known to have been another. */
function lostAt(rows: number, before: ChainHead): number {
  return rows < before.rows ? rows + 1 : before.rows;
}
