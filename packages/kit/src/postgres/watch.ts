import { context } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import pg from "pg";
import type { Logger } from "../log.ts";
import { pause } from "../pause.ts";

export interface WatchOptions {
  readonly url: string;
  readonly service: string;
  readonly logger: Logger;
  /** The channel that announces a change by NOTIFY. */
  readonly channel: string;
  /** A cheap statement that returns one row with the column `value`, as text. */
  readonly probe: string;
  /** Told the value when the watch begins and whenever it has changed; told again after it threw. */
  readonly onValue: (value: string) => Promise<void>;
  /** Milliseconds between probes without an announcement. Default 500. */
  readonly everyMs?: number;
}

export interface Watch {
  close(): Promise<void>;
}

const timeoutMs = 2_000;
const retryMs = 250;

/**
 * Watches a value in the database over a connection of its own. NOTIFY makes a change known in milliseconds; the probe
 * bounds that time where no announcement comes through (a connection that died unnoticed, a pooler in between), and
 * tells a dead connection, which is opened again for as long as it takes. Neither leaves spans.
 */
export function watchDatabase(options: WatchOptions): Watch {
  const stopping = new AbortController();
  const watching = context.with(suppressTracing(context.active()), () => watch(options, stopping.signal));
  return {
    close: async () => {
      stopping.abort();
      await watching;
    },
  };
}

async function watch(options: WatchOptions, stopping: AbortSignal): Promise<void> {
  let lost = false;
  while (!stopping.aborted) {
    try {
      await watchOnce(options, stopping, () => {
        lost = false;
      });
    } catch (err) {
      if (!lost)
        options.logger.warn({ action: "service.not_ready", err }, "a watched value of the database is out of sight");
      lost = true;
      await pause(retryMs, stopping);
    }
  }
}

async function watchOnce(options: WatchOptions, stopping: AbortSignal, onSeen: () => void): Promise<void> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: `${options.service}-watch`,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
  });
  let wake = new AbortController();
  const onEvent = () => wake.abort();
  // A connection that breaks is told by the next probe; without a listener it would end the process.
  client.on("error", onEvent);
  client.on("notification", onEvent);
  stopping.addEventListener("abort", onEvent);
  try {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(options.channel)}`);
    let known: string | undefined;
    while (!stopping.aborted) {
      // Made before the probe: what is announced while it runs must start the next one.
      wake = new AbortController();
      const { rows } = await client.query<{ value: string }>(options.probe);
      const value = rows[0]?.value;
      onSeen();
      if (value !== undefined && value !== known) await options.onValue(value);
      known = value;
      await pause(options.everyMs ?? 500, wake.signal);
    }
  } finally {
    stopping.removeEventListener("abort", onEvent);
    await client.end().catch(() => undefined);
  }
}
