import {
  type BaseConfig,
  baseShape,
  type Env,
  integer,
  parseEnv,
  port,
  secret,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly database: { readonly url: string };
  readonly tokens: TokenConfig;
  readonly sweepIntervalMs: number;
}

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, {
    ...baseShape,
    ...tokenShape,
    PORT: port(8083),
    DATABASE_URL: secret(),
    SWEEP_INTERVAL_MS: integer({ min: 100, max: 600_000, fallback: 5_000 }),
  });
  return {
    ...toBaseConfig(values),
    database: { url: values.DATABASE_URL },
    tokens: toTokenConfig(values),
    sweepIntervalMs: values.SWEEP_INTERVAL_MS,
  };
}
