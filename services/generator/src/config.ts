import {
  type BaseConfig,
  baseShape,
  clientShape,
  type Env,
  faultShape,
  flag,
  integer,
  parseEnv,
  port,
  text,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
  url,
} from "@vitrine/kit/config";

export interface Config extends BaseConfig {
  readonly gatewayUrl: string;
  readonly tokens: TokenConfig;
  readonly faultInjection: boolean;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly traffic: {
    readonly on: boolean;
    /** Arrivals per second on the average of a calm day. */
    readonly ratePerSecond: number;
    /** How long a day of the simulated world takes. */
    readonly dayMinutes: number;
    readonly customers: number;
    readonly seed: string;
  };
}

const shape = {
  ...baseShape,
  ...clientShape,
  TOKEN_ISSUER: tokenShape.TOKEN_ISSUER,
  TOKEN_AUDIENCE: tokenShape.TOKEN_AUDIENCE,
  ...faultShape,
  PORT: port(8086),
  GATEWAY_URL: url("http://127.0.0.1:8080"),
  TRAFFIC: flag(true),
  RATE_PER_SECOND: integer({ min: 1, max: 1_000, fallback: 4 }),
  DAY_MINUTES: integer({ min: 1, max: 1_440, fallback: 60 }),
  CUSTOMERS: integer({ min: 1, max: 1_000, fallback: 25 }),
  SEED: text("vitrine"),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return {
    ...toBaseConfig(values),
    gatewayUrl: values.GATEWAY_URL,
    // The generator knows nobody but the gateway, which has the keys too.
    tokens: toTokenConfig({ ...values, AUTH_URL: values.GATEWAY_URL }),
    faultInjection: values.FAULT_INJECTION,
    client: { clientId: values.CLIENT_ID, clientSecret: values.CLIENT_SECRET },
    traffic: {
      on: values.TRAFFIC,
      ratePerSecond: values.RATE_PER_SECOND,
      dayMinutes: values.DAY_MINUTES,
      customers: values.CUSTOMERS,
      seed: values.SEED,
    },
  };
}
