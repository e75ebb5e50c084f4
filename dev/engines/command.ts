import { userInfo } from "node:os";
import { join } from "node:path";
import type { Engine } from "./engines.ts";
import { EngineError } from "./error.ts";
import type { EnginePorts } from "./ports.ts";
import type { ProvidedEngine } from "./provide.ts";
import { parseRetentionHours } from "./retention.ts";

export interface EngineCommand {
  readonly argv: readonly string[];
  /** To be added to the environment of the process; empty for an image, which gets it by `docker run --env`. */
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the engine takes and answers requests. */
  readonly readyUrl: string;
}

export interface EngineRunOptions {
  readonly ports: EnginePorts;
  /** This engine's own folder; made by `prepareEngine`. */
  readonly dataDir: string;
  /** As `parseRetentionHours` takes it. */
  readonly retention: string;
  readonly repoRoot: string;
  /** Holds what engines sign in with, a file each: `engineSecrets`. */
  readonly secretsDir: string;
  /** Which traces the collector keeps. Default `all`. */
  readonly traces?: TraceSampling;
}

const traceSamplings = ["all", "sampled"] as const;

export type TraceSampling = (typeof traceSamplings)[number];

/** @throws {EngineError} `invalid_sampling` */
export function parseTraceSampling(text: string | undefined): TraceSampling {
  const found = traceSamplings.find((name) => name === (text || "all"));
  if (found !== undefined) return found;
  throw new EngineError(
    "invalid_sampling",
    `VITRINE_TRACES is "${text}": give all or sampled (a file .env counts, too)`,
  );
}

/** Files of `secretsDir`: whatever is in them, an engine does not start or does not work when one is missing. */
export const engineSecrets = ["alertmanager-token", "collector-client-secret", "collector-database-password"] as const;

interface Invocation {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readyUrl: string;
}

const loopback = "127.0.0.1";

/** How to start a provided engine. Call `prepareEngine` with the same options first. */
export function engineCommand(engine: Engine, provided: ProvidedEngine, options: EngineRunOptions): EngineCommand {
  const invocation = invocationOf(engine, options);
  switch (provided.kind) {
    case "binary":
      return {
        argv: [provided.path, ...invocation.args],
        env: invocation.env,
        readyUrl: invocation.readyUrl,
      };
    case "image":
      return {
        argv: dockerRun(engine, provided.image, options, invocation),
        env: {},
        readyUrl: invocation.readyUrl,
      };
    default:
      return provided satisfies never;
  }
}

/** Distinct for every instance on a machine, since the engine's first port is. */
export function containerName(engine: Engine, ports: EnginePorts | Readonly<Record<string, number>>): string {
  const [first] = engine.ports;
  return `vitrine-${engine.name}${first === undefined ? "" : `-${ports[first]}`}`;
}

/** Prometheus and Alertmanager read no variables: where the copies of their configs lie that `prepareEngine` writes. */
export function renderedPrometheusConfig(dataDir: string): string {
  return join(dataDir, "prometheus.yml");
}

export function renderedAlertmanagerConfig(dataDir: string): string {
  return join(dataDir, "alertmanager.yml");
}

function secretOf(secretsDir: string, name: (typeof engineSecrets)[number]): string {
  return join(secretsDir, name);
}

function dockerRun(
  engine: Engine,
  image: string,
  options: EngineRunOptions,
  invocation: Invocation,
): readonly string[] {
  const folder = join(options.repoRoot, engine.folder);
  const { uid, gid } = userInfo();
  // Mounted under their own paths, so that arguments and variables are the same in both worlds.
  return [
    "docker",
    "run",
    "--rm",
    "--pull=never",
    "--network=host",
    `--name=${containerName(engine, options.ports)}`,
    `--user=${uid}:${gid}`,
    `--volume=${folder}:${folder}:ro`,
    `--volume=${options.dataDir}:${options.dataDir}`,
    `--volume=${options.secretsDir}:${options.secretsDir}:ro`,
    ...Object.entries(invocation.env).map(([name, value]) => `--env=${name}=${value}`),
    image,
    ...invocation.args,
  ];
}

function invocationOf(engine: Engine, options: EngineRunOptions): Invocation {
  switch (engine.name) {
    case "collector":
      return collector(options);
    case "prometheus":
      return prometheus(options);
    case "loki":
      return loki(options);
    case "alertmanager":
      return alertmanager(options);
    case "jaeger":
      return jaeger(options);
    default:
      return engine.name satisfies never;
  }
}

function url(port: number, path = ""): string {
  return `http://${loopback}:${port}${path}`;
}

function collector({ ports, dataDir, repoRoot, retention, secretsDir, traces = "all" }: EngineRunOptions): Invocation {
  return {
    args: [
      `--config=${join(repoRoot, "otel-collector/config.yaml")}`,
      `--config=${join(repoRoot, `otel-collector/traces-${traces}.yaml`)}`,
    ],
    env: {
      VITRINE_LISTEN_HOST: loopback,
      VITRINE_DATA_DIR: dataDir,
      ARCHIVE_MAX_DAYS: String(Math.floor(parseRetentionHours(retention) / 24)),
      GATEWAY_URL: url(ports.gateway),
      GATEWAY_OTLP_URL: url(ports.otlp),
      POSTGRES_ENDPOINT: `${loopback}:${ports.postgres}`,
      COLLECTOR_CLIENT_SECRET_FILE: secretOf(secretsDir, "collector-client-secret"),
      COLLECTOR_DATABASE_PASSWORD_FILE: secretOf(secretsDir, "collector-database-password"),
      COLLECTOR_HOST_ROOT: "/",
      COLLECTOR_OTLP_PORT: String(ports.collectorOtlp),
      COLLECTOR_HEALTH_PORT: String(ports.collectorHealth),
      COLLECTOR_METRICS_PORT: String(ports.collectorMetrics),
      PROMETHEUS_URL: url(ports.prometheus),
      LOKI_URL: url(ports.loki),
      JAEGER_OTLP_URL: url(ports.jaegerOtlp),
      GOGC: "50",
    },
    readyUrl: url(ports.collectorHealth, "/"),
  };
}

function prometheus({ ports, dataDir, retention }: EngineRunOptions): Invocation {
  return {
    args: [
      `--config.file=${renderedPrometheusConfig(dataDir)}`,
      `--web.listen-address=${loopback}:${ports.prometheus}`,
      "--web.enable-otlp-receiver",
      // For snapshots (`bun run backup`): it listens on loopback only, and the gateway has no row for it.
      "--web.enable-admin-api",
      "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
      `--storage.tsdb.path=${join(dataDir, "tsdb")}`,
      `--storage.tsdb.retention.time=${parseRetentionHours(retention)}h`,
      "--log.level=warn",
    ],
    env: { GOGC: "50" },
    readyUrl: url(ports.prometheus, "/-/ready"),
  };
}

function loki({ ports, dataDir, retention, repoRoot }: EngineRunOptions): Invocation {
  return {
    args: ["-config.expand-env=true", `-config.file=${join(repoRoot, "loki/loki.yaml")}`],
    env: {
      VITRINE_LISTEN_HOST: loopback,
      VITRINE_DATA_DIR: dataDir,
      VITRINE_RETENTION: `${parseRetentionHours(retention)}h`,
      LOKI_HTTP_PORT: String(ports.loki),
      LOKI_GRPC_PORT: String(ports.lokiGrpc),
      LOKI_RULES_DIR: join(repoRoot, "loki/rules"),
      ALERTMANAGER_URL: url(ports.alertmanager),
      GOGC: "50",
    },
    readyUrl: url(ports.loki, "/ready"),
  };
}

function alertmanager({ ports, dataDir, retention }: EngineRunOptions): Invocation {
  return {
    args: [
      `--config.file=${renderedAlertmanagerConfig(dataDir)}`,
      `--web.listen-address=${loopback}:${ports.alertmanager}`,
      // Empty: one alone has no cluster, and the port would listen on every address.
      "--cluster.listen-address=",
      `--storage.path=${join(dataDir, "state")}`,
      `--data.retention=${parseRetentionHours(retention)}h`,
      "--log.level=warn",
    ],
    env: { GOGC: "50" },
    readyUrl: url(ports.alertmanager, "/-/ready"),
  };
}

function jaeger({ ports, dataDir, retention, repoRoot }: EngineRunOptions): Invocation {
  return {
    args: [`--config=${join(repoRoot, "jaeger/config.yaml")}`],
    env: {
      VITRINE_LISTEN_HOST: loopback,
      VITRINE_DATA_DIR: dataDir,
      VITRINE_RETENTION: `${parseRetentionHours(retention)}h`,
      JAEGER_HTTP_PORT: String(ports.jaeger),
      JAEGER_GRPC_PORT: String(ports.jaegerGrpc),
      JAEGER_OTLP_PORT: String(ports.jaegerOtlp),
      JAEGER_METRICS_PORT: String(ports.jaegerMetrics),
      GOGC: "50",
      // Badger's tables in memory are 64 MiB each and not to be set; without a limit bursts peak at 350 MB.
      GOMEMLIMIT: "200MiB",
    },
    readyUrl: url(ports.jaeger, "/api/v3/services"),
  };
}
