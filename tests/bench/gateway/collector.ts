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

/** A list of tokens to compare with, or an issuer whose signatures it verifies. */
export type CollectorGate =
  | { readonly extension: "bearertokenauth"; readonly tokens: readonly string[] }
  | { readonly extension: "oidc"; readonly issuer: string; readonly audience: string; readonly keySet: string };

export interface CollectorOptions {
  readonly binary: string;
  readonly before: readonly string[];
  /** Where it sends what it takes; to nowhere without it. */
  readonly exportTo?: string;
  /** Which tokens it takes, by an extension of its own; any request without one. */
  readonly gate?: CollectorGate;
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
      const extensions = options.gate === undefined ? {} : await gateConfig(options.gate, directory);
      const config = join(directory, "config.json");
      // JSON is YAML too.
      await Bun.write(config, JSON.stringify(collectorConfig(port, metricsPort, extensions, options.exportTo)));
      return [...options.before, options.binary, `--config=${config}`];
    },
  });
  return {
    pid,
    url,
    records: async () => ({ records: acceptedRecords(await (await fetch(metrics)).text()) }),
  };
}

/** The configuration of one extension by its name, its files in the collector's directory. */
async function gateConfig(gate: CollectorGate, directory: string): Promise<Readonly<Record<string, object>>> {
  const file = join(directory, "gate");
  if (gate.extension === "bearertokenauth") {
    await Bun.write(file, `${gate.tokens.join("\n")}\n`);
    return { [gate.extension]: { filename: file } };
  }
  await Bun.write(file, gate.keySet);
  const { issuer, audience } = gate;
  return { [gate.extension]: { providers: [{ issuer_url: issuer, audience, public_keys_file: file }] } };
}

function collectorConfig(
  port: number,
  metricsPort: number,
  extensions: Readonly<Record<string, object>>,
  exportTo: string | undefined,
) {
  const [authenticator] = Object.keys(extensions);
  const exporter = exportTo === undefined ? "nop" : "otlp_http";
  return {
    ...(authenticator === undefined ? {} : { extensions }),
    receivers: {
      otlp: {
        protocols: {
          http: {
            endpoint: `127.0.0.1:${port}`,
            max_request_body_size: 20_971_520,
            ...(authenticator === undefined ? {} : { auth: { authenticator } }),
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
      ...(authenticator === undefined ? {} : { extensions: [authenticator] }),
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
