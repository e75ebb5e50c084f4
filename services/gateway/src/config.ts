import {
  type BaseConfig,
  baseShape,
  clientShape,
  ConfigError,
  type Env,
  flag,
  integer,
  optionalSecret,
  parseEnv,
  port,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  text,
  toTokenConfig,
  url,
} from "@vitrine/kit/config";
import type { UpstreamUrls } from "./deps.ts";
import { type CertificateFiles, readCertificate } from "./certificate.ts";
import { networkFault } from "./client-address.ts";
import type { FeedConfig } from "./identity.ts";
import { type RateClass, type RateClasses, rateClasses } from "./routes/rate-class.ts";

export interface Config extends BaseConfig {
  readonly otlpPort: number;
  /** Lets several processes share the ports: the kernel spreads connections over them. */
  readonly reusePort: boolean;
  /** Processes this one keeps on the ports; 1 is itself. */
  readonly processes: number;
  readonly tls: CertificateFiles | undefined;
  readonly tokens: TokenConfig;
  readonly upstreams: UpstreamUrls;
  /** Where browsers reach the gateway. */
  readonly ownOrigin: string;
  /** Absent without `CLIENT_ID` and `CLIENT_SECRET`. */
  readonly feed: FeedConfig | undefined;
  readonly limits: LimitsConfig;
  /** Networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
}

/** The share of one process; 0 is without limit, except for `maxConcurrent`. */
export interface LimitsConfig {
  readonly classes: RateClasses;
  readonly maxConcurrent: number;
  readonly failuresPerSecond: number;
}

const anyRate = { min: 0, max: 1_000_000_000 } as const;
const places = { min: 0, max: 100_000 } as const;

const networks = text("")
  .transform((list) => list.split(/[\s,]+/).filter((network) => network !== ""))
  .superRefine((list, context) => {
    const faults = list.map(networkFault).filter((fault) => fault !== undefined);
    if (faults.length > 0) context.addIssue({ code: "custom", message: faults.join("; ") });
  });

/** The quotas of a class; what they count is told in routes/rate-class.ts. */
function quotaShape<const N extends Uppercase<keyof RateClasses>>(name: N) {
  const { requestsPerSecond, bytesPerSecond, inFlight } = rateClasses[name.toLowerCase() as keyof RateClasses];
  return {
    [`QUOTA_${name}_REQUESTS_PER_SECOND`]: integer({ ...anyRate, fallback: requestsPerSecond }),
    [`QUOTA_${name}_BYTES_PER_SECOND`]: integer({ ...anyRate, fallback: bytesPerSecond }),
    [`QUOTA_${name}_IN_FLIGHT`]: integer({ ...places, fallback: inFlight }),
  } as Record<
    `QUOTA_${N}_REQUESTS_PER_SECOND` | `QUOTA_${N}_BYTES_PER_SECOND` | `QUOTA_${N}_IN_FLIGHT`,
    ReturnType<typeof integer>
  >;
}

const shape = {
  ...baseShape,
  ...tokenShape,
  CLIENT_ID: clientShape.CLIENT_ID.optional(),
  CLIENT_SECRET: optionalSecret(),
  REUSE_PORT: flag(false),
  GATEWAY_PROCESSES: integer({ min: 1, max: 64, fallback: 1 }),
  TLS_CERT_FILE: text().optional(),
  TLS_KEY_FILE: text().optional(),
  ...quotaShape("INGEST"),
  ...quotaShape("QUERY"),
  ...quotaShape("API"),
  ...quotaShape("OPEN"),
  QUOTA_FAILURES_PER_SECOND: integer({ ...anyRate, fallback: 500 }),
  MAX_CONCURRENT_REQUESTS: integer({ min: 1, max: 100_000, fallback: 1_024 }),
  TRUSTED_PROXIES: networks,
  PORT: port(8080),
  OTLP_PORT: port(4318),
  ORDERS_URL: url("http://127.0.0.1:8082"),
  INVENTORY_URL: url("http://127.0.0.1:8083"),
  NOTIFIER_URL: url("http://127.0.0.1:8085"),
  CONSOLE_URL: url("http://127.0.0.1:8084"),
  GENERATOR_URL: url("http://127.0.0.1:8086"),
  COLLECTOR_URL: url("http://127.0.0.1:14318"),
  PROMETHEUS_URL: url("http://127.0.0.1:9090"),
  LOKI_URL: url("http://127.0.0.1:3100"),
  JAEGER_URL: url("http://127.0.0.1:16686"),
  ALERTMANAGER_URL: url("http://127.0.0.1:9093"),
  GRAFANA_URL: url("http://127.0.0.1:3000"),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = values;
  if ((clientId === undefined) !== (clientSecret === undefined))
    throw new ConfigError(["CLIENT_ID: set it and CLIENT_SECRET, or neither"]);
  if (values.GATEWAY_PROCESSES > 1 && (values.PORT === 0 || values.OTLP_PORT === 0))
    throw new ConfigError(["GATEWAY_PROCESSES: several processes need ports that are the same for all"]);
  const address = (value: string) => value.replace(/\/+$/, "");
  return {
    ...toBaseConfig(values),
    otlpPort: values.OTLP_PORT,
    reusePort: values.REUSE_PORT,
    processes: values.GATEWAY_PROCESSES,
    tls: toCertificateFiles(values.TLS_CERT_FILE, values.TLS_KEY_FILE),
    tokens: toTokenConfig(values),
    ownOrigin: new URL(values.TOKEN_ISSUER).origin,
    upstreams: {
      auth: address(values.AUTH_URL),
      orders: address(values.ORDERS_URL),
      inventory: address(values.INVENTORY_URL),
      notifier: address(values.NOTIFIER_URL),
      console: address(values.CONSOLE_URL),
      generator: address(values.GENERATOR_URL),
      collector: address(values.COLLECTOR_URL),
      prometheus: address(values.PROMETHEUS_URL),
      loki: address(values.LOKI_URL),
      jaeger: address(values.JAEGER_URL),
      alertmanager: address(values.ALERTMANAGER_URL),
      grafana: address(values.GRAFANA_URL),
    },
    feed:
      clientId === undefined || clientSecret === undefined
        ? undefined
        : { url: new URL("/api/auth/feed", values.AUTH_URL).href, clientId, clientSecret },
    limits: {
      classes: {
        ingest: quotas(rateClasses.ingest, values, "INGEST"),
        query: quotas(rateClasses.query, values, "QUERY"),
        api: quotas(rateClasses.api, values, "API"),
        open: quotas(rateClasses.open, values, "OPEN"),
      },
      maxConcurrent: Math.ceil(values.MAX_CONCURRENT_REQUESTS / values.GATEWAY_PROCESSES),
      failuresPerSecond: values.QUOTA_FAILURES_PER_SECOND / values.GATEWAY_PROCESSES,
    },
    trustedProxies: values.TRUSTED_PROXIES,
  };
}

type QuotaValues = Readonly<Record<keyof ReturnType<typeof quotaShape> | "GATEWAY_PROCESSES", number>>;

/** The share of one process: the kernel spreads connections over all of them, so that together they are the quota. */
function quotas(defaults: RateClass, values: QuotaValues, name: Uppercase<keyof RateClasses>): RateClass {
  const { GATEWAY_PROCESSES: processes } = values;
  return {
    ...defaults,
    requestsPerSecond: values[`QUOTA_${name}_REQUESTS_PER_SECOND`] / processes,
    bytesPerSecond: values[`QUOTA_${name}_BYTES_PER_SECOND`] / processes,
    inFlight: Math.ceil(values[`QUOTA_${name}_IN_FLIGHT`] / processes),
  };
}

function toCertificateFiles(certFile: string | undefined, keyFile: string | undefined): CertificateFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw new ConfigError(["TLS_CERT_FILE: set it and TLS_KEY_FILE, or neither"]);
  try {
    readCertificate({ certFile, keyFile });
  } catch (error) {
    throw new ConfigError([`TLS_CERT_FILE: ${error instanceof Error ? error.message : "cannot be read"}`]);
  }
  return { certFile, keyFile };
}
