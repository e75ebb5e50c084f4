import {
  type BaseConfig,
  baseShape,
  type Env,
  flag,
  integer,
  parseEnv,
  port,
  secret,
  text,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
  url,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly tokens: TokenConfig;
  readonly database: { readonly url: string };
  /** As people reach it. */
  readonly publicUrl: string;
  /** Every question goes there, with the token of whoever asks. */
  readonly gatewayUrl: string;
  /** Where people find Grafana, if there is one. */
  readonly grafanaUrl: string | undefined;
  /** Whether the visitor exists whose password everyone knows. */
  readonly demo: boolean;
  /** What the runner writes of the processes it starts, engines that are being built among them. */
  readonly runnerStateFile: string | undefined;
  readonly maxUploadBytes: number;
}

const shape = {
  ...baseShape,
  ...tokenShape,
  PORT: port(8084),
  DATABASE_URL: secret(),
  GATEWAY_URL: url("http://127.0.0.1:8080"),
  GRAFANA_URL: url().optional(),
  DEMO: flag(false),
  RUNNER_STATE_FILE: text().optional(),
  MAX_UPLOAD_BYTES: integer({ min: 1_024, max: 268_435_456, fallback: 33_554_432 }),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return {
    ...toBaseConfig(values),
    tokens: toTokenConfig(values),
    database: { url: values.DATABASE_URL },
    publicUrl: values.TOKEN_ISSUER.replace(/\/+$/, ""),
    gatewayUrl: values.GATEWAY_URL.replace(/\/+$/, ""),
    grafanaUrl: values.GRAFANA_URL?.replace(/\/+$/, ""),
    demo: values.DEMO,
    runnerStateFile: values.RUNNER_STATE_FILE,
    maxUploadBytes: values.MAX_UPLOAD_BYTES,
  };
}
