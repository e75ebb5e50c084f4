import {
  type BaseConfig,
  baseShape,
  type Env,
  faultShape,
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
  readonly faultInjection: boolean;
}

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, {
    ...baseShape,
    ...tokenShape,
    ...faultShape,
    PORT: port(8083),
    DATABASE_URL: secret(),
    SWEEP_INTERVAL_MS: integer({ min: 100, max: 600_000, fallback: 5_000 }),
  });
  return {
    ...toBaseConfig(values),
    database: { url: values.DATABASE_URL },
    tokens: toTokenConfig(values),
    sweepIntervalMs: values.SWEEP_INTERVAL_MS,
    faultInjection: values.FAULT_INJECTION,
  };
}
