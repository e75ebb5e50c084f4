import {
  type BaseConfig,
  baseShape,
  clientShape,
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
  url,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly database: { readonly url: string };
  readonly tokens: TokenConfig;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly inventory: { readonly url: string };
  readonly orders: { readonly holdSeconds: number; readonly interruptedAfterMs: number };
  readonly sweepIntervalMs: number;
  readonly faultInjection: boolean;
}

const shape = {
  ...baseShape,
  ...tokenShape,
  ...clientShape,
  ...faultShape,
  PORT: port(8082),
  DATABASE_URL: secret(),
  INVENTORY_URL: url("http://127.0.0.1:8083"),
  SWEEP_INTERVAL_MS: integer({ min: 100, max: 600_000, fallback: 5_000 }),
  // How long a reserved order waits for its payment.
  ORDER_HOLD_SECONDS: integer({ min: 1, max: 43_200, fallback: 900 }),
  // Longer than any step of an order takes: younger ones may still be on their way.
  ORDER_INTERRUPTED_AFTER_MS: integer({ min: 5_000, max: 3_600_000, fallback: 30_000 }),
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
    orders: { holdSeconds: values.ORDER_HOLD_SECONDS, interruptedAfterMs: values.ORDER_INTERRUPTED_AFTER_MS },
    sweepIntervalMs: values.SWEEP_INTERVAL_MS,
    faultInjection: values.FAULT_INJECTION,
  };
}
