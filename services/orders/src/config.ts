import {
  type BaseConfig,
  baseShape,
  clientShape,
  type Env,
  integer,
  parseEnv,
  port,
  secret,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
  url,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly database: { readonly url: string };
  readonly tokens: TokenConfig;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly inventory: { readonly url: string };
  readonly sweep: { readonly intervalMs: number; readonly interruptedAfterMs: number };
}

const shape = {
  ...baseShape,
  ...tokenShape,
  ...clientShape,
  PORT: port(8082),
  DATABASE_URL: secret(),
  INVENTORY_URL: url("http://127.0.0.1:8083"),
  SWEEP_INTERVAL_MS: integer({ min: 100, max: 600_000, fallback: 5_000 }),
  // Longer than any order takes to be placed: younger ones may still be on their way.
  ORDER_INTERRUPTED_AFTER_MS: integer({ min: 30_000, max: 3_600_000, fallback: 60_000 }),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return {
    ...toBaseConfig(values),
    database: { url: values.DATABASE_URL },
    tokens: toTokenConfig(values),
    client: { clientId: values.CLIENT_ID, clientSecret: values.CLIENT_SECRET },
    inventory: { url: values.INVENTORY_URL },
    sweep: { intervalMs: values.SWEEP_INTERVAL_MS, interruptedAfterMs: values.ORDER_INTERRUPTED_AFTER_MS },
  };
}
