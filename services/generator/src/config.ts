import {
  type BaseConfig,
  baseShape,
  clientShape,
  type Env,
  flag,
  integer,
  parseEnv,
  port,
  text,
  toBaseConfig,
  url,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly gatewayUrl: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly traffic: {
    readonly on: boolean;
    /** Requests of customers per second, on average. */
    readonly ratePerSecond: number;
    readonly customers: number;
    readonly seed: string;
  };
}

const shape = {
  ...baseShape,
  ...clientShape,
  PORT: port(8086),
  GATEWAY_URL: url("http://127.0.0.1:8080"),
  TRAFFIC: flag(true),
  RATE_PER_SECOND: integer({ min: 1, max: 1_000, fallback: 4 }),
  CUSTOMERS: integer({ min: 1, max: 1_000, fallback: 25 }),
  SEED: text("vitrine"),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return {
    ...toBaseConfig(values),
    gatewayUrl: values.GATEWAY_URL,
    client: { clientId: values.CLIENT_ID, clientSecret: values.CLIENT_SECRET },
    traffic: {
      on: values.TRAFFIC,
      ratePerSecond: values.RATE_PER_SECOND,
      customers: values.CUSTOMERS,
      seed: values.SEED,
    },
  };
}
