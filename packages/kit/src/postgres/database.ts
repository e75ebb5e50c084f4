import { metrics } from "@vitrine/contracts/telemetry";
import pg from "pg";
import { ServiceError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { counter } from "../telemetry/instruments.ts";
import { sanitizeStatement } from "./statement-text.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface Queryable {
  /** Runs one statement with `$n` parameters. @throws ServiceError `unavailable` when the database cannot answer */
  query<R extends Row>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
}

export interface Transaction extends Queryable {
  /** Runs any number of statements, as they stand in a file: without parameters or results. */
  script(text: string): Promise<void>;
}

export interface Database extends Queryable {
  /** Connections at most. */
  readonly maxConnections: number;
  /**
   * Runs `work` in one transaction on one connection; rolls back when it throws.
   * @throws ServiceError `unavailable` when no connection is to be had or the one there was broke
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** @throws ServiceError `unavailable` */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly service: string;
  readonly logger: Logger;
  /** Connections at most. Default 10. */
  readonly maxConnections?: number;
  /** Milliseconds to wait for a free connection, or for a new one. Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds a statement may run. Default 10,000. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds after which a query is logged and counted as slow. Default 500. */
  readonly slowQueryMs?: number;
}

/** A pool of connections whose queries are prepared, traced (by the preload), timed and bounded. */
export function createDatabase(options: DatabaseOptions): Database {
  const { hostname, port, pathname } = new URL(options.url);
  const maxConnections = options.maxConnections ?? 10;
  const pool = new pg.Pool({
    connectionString: options.url,
    // The connection string says the same to `pg`; the instrumentation names the pool in its metrics after these.
    host: hostname,
    port: Number(port || 5432),
    database: pathname.slice(1),
    application_name: options.service,
    max: maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: 30_000,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  const onBroken = (err: Error) =>
    options.logger.warn({ action: "service.not_ready", err }, "a database connection broke");
  pool.on("error", onBroken);
  const run = timed(options);
  return {
    maxConnections,
    query: async <R extends Row>(text: string, values?: readonly unknown[]) => {
      try {
        return await run<R>(pool, text, values);
      } catch (error) {
        // The statement was refused before it did anything, so it may be sent again, prepared anew.
        if (!isStalePlan(error)) throw error;
        return await run<R>(pool, text, values);
      }
    },
    transaction: async (work) => {
      const client = await connect(pool, onBroken);
      let broken = true;
      try {
        await run(client, "begin");
        const result = await work({
          query: (text, values) => run(client, text, values),
          script: async (text) => {
            await client.query(text).catch((error: unknown) => {
              throw toServiceError(error);
            });
          },
        });
        await run(client, "commit");
        broken = false;
        return result;
      } catch (error) {
        broken = await client.query("rollback").then(
          () => false,
          () => true,
        );
        throw error;
      } finally {
        client.off("error", onBroken);
        client.release(broken);
      }
    },
    ping: async () => {
      await run(pool, "select 1");
    },
    close: () => pool.end(),
  };
}

/**
 * A connection of the pool, which listens for idle ones only: one that breaks between two statements is ours to hear. From
 * the moment it is handed over, since a connection can end with the words that end the statement of whoever had it before.
 */
function connect(pool: pg.Pool, onBroken: (err: Error) => void): Promise<pg.PoolClient> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.PoolClient>();
  pool.connect((error, client) => {
    if (client === undefined) return reject(toServiceError(error));
    client.on("error", onBroken);
    resolve(client);
  });
  return promise;
}

type Runner = <R extends Row>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values?: readonly unknown[],
) => Promise<readonly R[]>;

function timed({ logger, slowQueryMs = 500 }: DatabaseOptions): Runner {
  const slow = counter(metrics.dbSlowQueries);
  return async <R extends Row>(on: pg.Pool | pg.PoolClient, text: string, values: readonly unknown[] = []) => {
    const startedAt = performance.now();
    const name = statementName(text);
    try {
      const result = await on.query<R>({
        text,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      });
      return result.rows;
    } catch (error) {
      if (name !== undefined && isStalePlan(error)) renameStatement(text, name);
      throw toServiceError(error);
    } finally {
      const duration = performance.now() - startedAt;
      if (duration > slowQueryMs) {
        slow.add(1);
        // Parameters are `$n`; what a caller wrote into the text itself stays in this process.
        logger.warn(
          {
            action: "db.slow_query",
            duration_ms: Math.round(duration),
            extra: { statement: sanitizeStatement(text) },
          },
          "slow query",
        );
      }
    }
  };
}

const statementNames = new Map<string, string>();
const maxStatements = 500;
let renamed = 0;

/**
 * One name per text makes pg prepare it once per connection; texts past the limit run unprepared. Spans are called by
 * it, so it tells the kind of statement and is the same in every process.
 */
function statementName(text: string): string | undefined {
  const known = statementNames.get(text);
  if (known !== undefined || statementNames.size >= maxStatements) return known;
  const verb = /^\s*(\w{1,16})/.exec(text)?.[1]?.toLowerCase() ?? "statement";
  const name = `${verb}_${Bun.hash(text).toString(36)}`;
  statementNames.set(text, name);
  return name;
}

/** `stale` is what failed: by now another request may have renamed it. */
function renameStatement(text: string, stale: string): void {
  if (statementNames.get(text) !== stale) return;
  renamed += 1;
  statementNames.set(text, `${stale.split(".")[0] ?? stale}.${renamed}`);
}

/**
 * A table changed under a prepared `select *`: PostgreSQL refuses the old plan on that connection for good. A new name
 * has it prepared anew everywhere. Inside a transaction the caller sees the error once, since all of it must be redone.
 */
function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === "0A000" && error.message.startsWith("cached plan must not")
  );
}

/** SQLSTATE classes that mean "not now": connection (08), resources (53), operator (57), and pg's own network codes. */
const unavailable = /^(08|53|57)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOENT)$/;
const brokenConnection =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;

function toServiceError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!unavailable.test(code) && !brokenConnection.test(error.message)) return error;
  return new ServiceError("unavailable", undefined, {
    reason: "database",
    retryAfterSeconds: 2,
    cause: error,
  });
}

/** SQLSTATE of a failed statement, such as `23505` for a unique violation; `undefined` for any other error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
