import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import type { Arrivals, BenchScope } from "../harness/bench.ts";
import { startOwn } from "./process.ts";

export interface Collector {
  readonly pid: number;
  readonly url: URL;
  /** Log records it has taken since it started. */
  readonly records: () => Promise<Arrivals>;
}

export interface CollectorOptions {
  readonly binary: string;
  readonly before: readonly string[];
  /** Where it sends what it takes; to nowhere without it. */
  readonly exportTo?: string;
  /** Bearer tokens it takes; any request without them. */
  readonly tokens?: readonly string[];
  /** Threads that run Go code at once; as many as it has cores without it. */
  readonly processors?: number;
}

/** A real collector with an OTLP receiver and nothing between it and its exporter: a 2xx means the record has left it. */
export async function startCollector(scope: BenchScope, options: CollectorOptions): Promise<Collector> {
  const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
  const metrics = `http://127.0.0.1:${metricsPort}/metrics`;
  const url = new URL(`http://127.0.0.1:${port}`);
  const pid = await startOwn(scope, {
    urls: [url.href, metrics],
    env: options.processors === undefined ? {} : { GOMAXPROCS: String(options.processors) },
    command: async (directory) => {
      const tokensFile = options.tokens === undefined ? undefined : join(directory, "tokens");
      if (tokensFile !== undefined) await Bun.write(tokensFile, `${options.tokens?.join("\n")}\n`);
      const config = join(directory, "config.json");
      // JSON is YAML too.
      await Bun.write(config, JSON.stringify(collectorConfig(port, metricsPort, tokensFile, options.exportTo)));
      return [...options.before, options.binary, `--config=${config}`];
    },
  });
  return {
    pid,
    url,
    records: async () => ({ records: acceptedRecords(await (await fetch(metrics)).text()) }),
  };
}

function collectorConfig(
  port: number,
  metricsPort: number,
  tokensFile: string | undefined,
  exportTo: string | undefined,
) {
  const exporter = exportTo === undefined ? "nop" : "otlp_http";
  return {
    ...(tokensFile === undefined ? {} : { extensions: { bearertokenauth: { filename: tokensFile } } }),
    receivers: {
      otlp: {
        protocols: {
          http: {
            endpoint: `127.0.0.1:${port}`,
            max_request_body_size: 20_971_520,
            ...(tokensFile === undefined ? {} : { auth: { authenticator: "bearertokenauth" } }),
          },
        },
      },
    },
    exporters: {
      [exporter]:
        exportTo === undefined
          ? {}
          : {
              endpoint: exportTo,
              compression: "none",
              sending_queue: { enabled: false },
              retry_on_failure: { enabled: false },
            },
    },
    service: {
      ...(tokensFile === undefined ? {} : { extensions: ["bearertokenauth"] }),
      telemetry: {
        logs: { level: "warn" },
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: "127.0.0.1", port: metricsPort } } } }] },
      },
      pipelines: { logs: { receivers: ["otlp"], exporters: [exporter] } },
    },
  };
}

/** Sums `otelcol_receiver_accepted_log_records` of a Prometheus text, whatever its suffix and labels. */
export function acceptedRecords(text: string): number {
  let sum = 0;
  for (const [, value] of text.matchAll(/^otelcol_receiver_accepted_log_records\w*(?:\{.*\})? (\S+)/gm))
    sum += Number(value);
  return sum;
}
